import { ForbiddenException, InternalServerErrorException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { isAnswer } from './is-answer.js';

describe('isAnswer', () => {
  it.each([new NotFoundException(), new ForbiddenException(), { status: 400 }, { status: 499 }])(
    'takes a client error for an answer: %p',
    (error) => expect(isAnswer(error)).toBe(true),
  );

  it.each([
    new InternalServerErrorException(),
    new Error('timeout'),
    { status: 399 },
    { status: 500 },
    { status: '404' },
    { status: NaN },
    '404',
    404,
    null,
    undefined,
  ])('takes anything else for a failure: %p', (error) => expect(isAnswer(error)).toBe(false));
});
