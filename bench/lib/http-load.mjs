import autocannon from 'autocannon';

/** Requests a second. Throws when one is answered with anything but 200. */
export async function requestsPerSecond(url, requests, options) {
  const { '2xx': answered, non2xx, errors, duration } = await autocannon({ url, requests, ...options });
  if (non2xx + errors > 0) throw new Error(`${requests[0].path}: ${non2xx} refused, ${errors} failed`);
  return answered / duration;
}
