/**
 * Results of statements that were sent one behind the other: where one fails, so do those behind it, and what is thrown
 * is why the first did.
 */
export async function inOrder<T extends readonly unknown[]>(
  sent: readonly [...{ [N in keyof T]: T[N] | Promise<T[N]> }],
): Promise<T> {
  const all = sent.map((one) => Promise.resolve<unknown>(one));
  for (const one of all) one.catch(() => undefined);
  const results: unknown[] = [];
  for (const one of all) results.push(await one);
  return results as unknown as T;
}
