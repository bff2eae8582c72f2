/** One code sample of a page that the tests run. */
export interface RunnableSample {
  /** The page's path from the project's folder. */
  readonly page: string;
  /** The line of the page where the sample begins. */
  readonly line: number;
  /** TypeScript, an ES module. */
  readonly source: string;
}

/** The samples marked `docs: run`, page by page. */
export function runnableSamples(root: string): RunnableSample[];
