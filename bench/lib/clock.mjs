/** Milliseconds on a clock that all processes of this machine share. */
export const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/** `work`, or `late` when it takes longer than `ms`. */
export async function capped(work, ms, late) {
  let timer;
  const limit = new Promise((resolve) => (timer = setTimeout(resolve, ms, late)));
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
