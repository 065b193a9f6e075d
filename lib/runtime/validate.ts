// Data from outside against a schema. An error names the place and what was expected there, never what was found: it
// may be a secret.

import * as v from 'valibot';

export type Schema<T> = v.GenericSchema<unknown, T>;

/** The checked data, or what is wrong with it: where, and why. */
export function validate<T>(
  schema: Schema<T>,
  data: unknown,
  refuse: (where: string, why: string) => Error,
): T {
  const result = v.safeParse(schema, data, { abortEarly: true, message: explain });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw refuse(v.getDotPath(issue) ?? '', issue.message);
}

function explain(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not known here';
  if (issue.received === 'undefined') return 'is missing';
  return issue.expected === null ? 'is not allowed' : `must be ${issue.expected}`;
}

/** JSON text as data, or what is wrong with it. */
export function parseJson(text: string, refuse: (why: string, cause: unknown) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse('it is not JSON', cause);
  }
}
