/** What a script's header declares under REPLY. */
export type ReplyShape =
  | 'integer'
  | 'string'
  | 'bytes'
  | 'nil'
  | { readonly array: ReplyShape }
  | { readonly tuple: readonly ReplyShape[] }
  | { readonly nullable: ReplyShape }
  /** A scalar, or a list. */
  | { readonly either: readonly [ReplyShape, ReplyShape] };
