// Adds up vitest's JSON reports and the result of the checks into the line that CI reads:
// `N passed, N failed`. A report that is missing counts as a failure.
import { readFileSync } from "node:fs";

type Report = { numPassedTests: number; numFailedTests: number; numFailedTestSuites: number };

const [check, ...files] = process.argv.slice(2);
let passed = check === "pass" ? 1 : 0;
let failed = check === "pass" ? 0 : 1;
for (const file of files) {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as Report;
    passed += report.numPassedTests;
    // A file that could not be loaded has no tests to fail.
    failed += Math.max(report.numFailedTests, report.numFailedTestSuites > 0 ? 1 : 0);
  } catch {
    process.stdout.write(`no report in ${file}\n`);
    failed += 1;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
