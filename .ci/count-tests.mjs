/**
 * Prints the closing count of a test run from Jest's JSON report, as one line: "N passed, N failed[, N skipped]".
 * A file that could not run counts as one failure. Fails when anything failed, and when nothing ran.
 */
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const passed = report.numPassedTests;
const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
const skipped = report.numPendingTests + report.numTodoTests;

if (passed + failed === 0) console.error('No test ran.');
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = report.success && passed > 0 && failed === 0 ? 0 : 1;
