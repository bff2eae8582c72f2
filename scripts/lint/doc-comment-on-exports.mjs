/**
 * An ESLint rule: every exported declaration carries a doc comment. The first of a function's overloads speaks for
 * all of them, as does the first of a value and a type that share a name.
 */
export const docCommentOnExports = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { missing: 'Say in a /** doc comment */ what this export guarantees.' },
  },
  create: ({ report, sourceCode }) => ({
    'ExportNamedDeclaration[declaration]'(node) {
      const starts = [node, ...(node.declaration.decorators ?? [])];
      const documented = starts.some((start) => sourceCode.getCommentsBefore(start).some(isDocComment));
      if (!documented && !sharesNameWithPrevious(node)) report({ node, messageId: 'missing' });
    },
  }),
};

function isDocComment(comment) {
  return comment.type === 'Block' && comment.value.startsWith('*');
}

function sharesNameWithPrevious(node) {
  const siblings = node.parent.body;
  const previous = siblings[siblings.indexOf(node) - 1];
  return node.declaration.id?.name !== undefined && node.declaration.id.name === previous?.declaration?.id?.name;
}
