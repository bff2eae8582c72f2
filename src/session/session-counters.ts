/** What the module counts. Plain fields that only grow, shown to OpenTelemetry as `rookery.session.*`. */
export interface SessionCounters {
  loaded: number;
  /** Ids that were in order, but of no session: it has ended, or there never was one. */
  unknown: number;
  /** Cookies that were not signed by any of the secrets, or are none of ours. */
  rejectedCookies: number;
  created: number;
  saved: number;
  /** Writes that came after the end of their session, and were not made. */
  lateSaves: number;
  rotated: number;
  /** Sessions that were ended by a call: logouts and revocations. */
  destroyed: number;
  /** Sessions that were ended since their user had too many. */
  evicted: number;
  /** Logins that were refused since the user had too many. */
  refused: number;
  /** Ends that listeners were told of. */
  endsTold: number;
}

/** All at zero. */
export const newSessionCounters = (): SessionCounters => ({
  loaded: 0,
  unknown: 0,
  rejectedCookies: 0,
  created: 0,
  saved: 0,
  lateSaves: 0,
  rotated: 0,
  destroyed: 0,
  evicted: 0,
  refused: 0,
  endsTold: 0,
});
