/**
 * Results of statements that were sent one behind the other: where one fails, so do those behind it, and what is thrown
 * is why the first did.
 */
export async function inOrder<T extends readonly unknown[]>(
  sent: readonly [...{ [N in keyof T]: T[N] | Promise<T[N]> }],
): Promise<T> {
  for (const one of sent) Promise.resolve(one).catch(() => undefined);
  const results: unknown[] = [];
  for (const one of sent) results.push(await one);
  return results as unknown as T;
}
