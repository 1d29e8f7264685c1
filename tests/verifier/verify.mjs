// node verify.mjs EVIDENCE GENESIS [--json]
//
// Verifies one evidence file with nothing but a genesis file that you trust. Exit: 0 it holds, 5 it does not verify, 2 wrong usage.

import { readFileSync } from 'node:fs';
import { verifyEvidence } from './evidence.mjs';

const EXIT_OK = 0;
const EXIT_USAGE = 2;
const EXIT_INVALID = 5;

function readOrNull(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    process.stdout.write(`FAIL ${path} cannot be read: ${error.code ?? error.message}\n`);
    return null;
  }
}

// Details come from an untrusted file: no control characters, no screenfuls.
function oneLine(problem) {
  const safe = problem.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
  return safe.length > 300 ? `${safe.slice(0, 300)}...` : safe;
}

function printText(result) {
  for (const check of result.checks) {
    process.stdout.write(check.ok ? `ok   ${check.name}\n` : `FAIL ${check.name}: ${oneLine(check.problem)}\n`);
  }
}

function printJson(result) {
  const checks = result.checks.map(({ name, ok, problem }) => ({ name, ok, problem: problem === null ? null : oneLine(problem) }));
  process.stdout.write(`${JSON.stringify({ ok: result.ok, checks, sentences: result.sentences }, null, 1)}\n`);
}

function main(args) {
  const paths = args.filter((arg) => !arg.startsWith('--'));
  const options = args.filter((arg) => arg.startsWith('--'));
  if (paths.length !== 2 || options.some((option) => option !== '--json')) {
    process.stderr.write('usage: node verify.mjs EVIDENCE GENESIS [--json]\n');
    return EXIT_USAGE;
  }
  const [evidence, genesis] = paths.map(readOrNull);
  if (evidence === null || genesis === null) return EXIT_USAGE;
  const result = verifyEvidence(evidence, genesis);
  (options.length > 0 ? printJson : printText)(result);
  return result.ok ? EXIT_OK : EXIT_INVALID;
}

process.exitCode = main(process.argv.slice(2));
