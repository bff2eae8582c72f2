/** So much is looked at; longer ones are made up. */
const LONGEST = 512;

const LONGEST_SUMMARY = 64;

/** The first that is found counts: browsers name those that they descend from, too. */
const PROGRAMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bEdg(?:e|A|iOS)?\/(\d+)/, 'Edge'],
  [/\bOPR\/(\d+)/, 'Opera'],
  [/\bSamsungBrowser\/(\d+)/, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)[.\d]* (?:Mobile\/\S+ )?Safari\//, 'Safari'],
];

const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMacintosh\b|\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/**
 * What people recognize their device by, such as `Firefox 128 on Windows`: the browser and its major version, and the system. For anything but a browser, what it
 * calls itself, cut to 64 visible ASCII characters.
 */
export function summarizeAgent(agent: string): string {
  const text = agent.slice(0, LONGEST);
  const program = firstOf(PROGRAMS, text);
  if (program === undefined)
    return text
      .replace(/[^\x20-\x7e]+/g, '')
      .trim()
      .slice(0, LONGEST_SUMMARY);
  const system = firstOf(SYSTEMS, text);
  return system === undefined ? program : `${program} on ${system}`;
}

function firstOf(known: typeof PROGRAMS, text: string): string | undefined {
  for (const [pattern, name] of known) {
    const found = pattern.exec(text);
    if (found !== null) return found[1] === undefined ? name : `${name} ${found[1].slice(0, 5)}`;
  }
  return undefined;
}
