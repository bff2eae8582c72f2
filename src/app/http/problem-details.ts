import { STATUS_CODES } from 'node:http';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** The media type of {@link ProblemDetails}. */
export const PROBLEM_JSON = 'application/problem+json';

/** One part of a request that cannot be used. */
export class FieldProblem {
  @ApiProperty({ example: 'page', description: 'The path parameter, query parameter or field of the body' })
  readonly field: string;

  @ApiProperty({ example: 'page must not be less than 1' })
  readonly message: string;

  constructor(field: string, message: string) {
    this.field = field;
    this.message = message;
  }
}

/** What every failed request is answered with: RFC 9457, extended by the fields that are at fault or the rate limits that refuse. */
export class ProblemDetails {
  @ApiProperty({ example: 'about:blank', description: '`about:blank` where the status says what kind it is' })
  readonly type: string;

  @ApiProperty({ example: 'Bad Request' })
  readonly title: string;

  @ApiProperty({ example: 400 })
  readonly status: number;

  @ApiProperty({ example: 'The request has fields that cannot be used' })
  readonly detail: string;

  @ApiProperty({ example: '/products', description: 'The path of the request' })
  readonly instance: string;

  @ApiPropertyOptional({ type: [FieldProblem] })
  readonly errors?: readonly FieldProblem[];

  @ApiPropertyOptional({ type: [String], description: 'The rate limits that refuse, as `RateLimit-Policy` names them' })
  readonly 'violated-policies'?: readonly string[];

  @ApiPropertyOptional({
    example: 'login-required',
    description: 'Why, for programs, where the status does not say it',
  })
  readonly code?: string;

  constructor(status: number, detail: string, instance: string, particulars: ProblemParticulars = {}) {
    const {
      type = 'about:blank',
      title = STATUS_CODES[status] ?? 'Error',
      errors = [],
      violatedPolicies,
      code,
    } = particulars;
    this.type = type;
    this.title = title;
    this.status = status;
    this.detail = detail;
    this.instance = instance;
    if (errors.length > 0) {
      this.errors = errors;
    }
    if (code !== undefined) {
      this.code = code;
    }
    if (violatedPolicies !== undefined) {
      this['violated-policies'] = violatedPolicies;
    }
  }
}

/** What only some kinds of problems have. */
export interface ProblemParticulars {
  readonly type?: string;
  readonly title?: string;
  readonly errors?: readonly FieldProblem[];
  readonly violatedPolicies?: readonly string[] | undefined;
  readonly code?: string;
}

/** What {@link ProblemDetails} say of a URL: its query may hold what is nobody's business. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
