/**
 * Prints the closing count of a test run from Jest's JSON report, as one line: "N passed, N failed[, N skipped]".
 * A file that could not run counts as one failure. Fails when anything failed, when nothing ran, and without a report.
 */
import { existsSync, readFileSync } from 'node:fs';

const [, , file] = process.argv;
if (!existsSync(file)) {
  console.error('The test run ended without a report.');
  process.exit(1);
}
const report = JSON.parse(readFileSync(file, 'utf8'));
const passed = report.numPassedTests;
const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
const skipped = report.numPendingTests + report.numTodoTests;

if (passed + failed === 0) console.error('No test ran.');
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = report.success && passed > 0 && failed === 0 ? 0 : 1;
