export default async function removeDatabase() {
  await globalThis.rookeryRemoveDatabase();
}
