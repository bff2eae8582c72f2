export default async function stopSharedServers() {
  await Promise.all(globalThis.rookerySharedServers.map((server) => server.stop?.()));
}
