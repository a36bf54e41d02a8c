/** Numbers of a release such as `v1.21.1` or `0.98.0-rc.1`; undefined for ranges, branches and templates. */
function numbersOf(version: string): number[] | undefined {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(version);
  return match === null ? undefined : match.slice(1, 4).map((part) => Number(part ?? 0));
}

/** Negative when `a` is the older one; undefined when one of them is not a release. */
export function compareVersions(a: string, b: string): number | undefined {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  if (left === undefined || right === undefined) return undefined;
  for (const [at, number] of left.entries()) {
    const difference = number - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether both belong to one line of releases that promises to stay compatible: the major version, or the minor of 0.x. */
export function sameLine(a: string, b: string): boolean {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  if (left === undefined || right === undefined) return false;
  return left[0] === right[0] && (left[0] !== 0 || left[1] === right[1]);
}
