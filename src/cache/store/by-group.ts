/** Items of one group together, in their order, and no more of them in a list than `longest`: what one script may hold up the server for. */
export function byGroup<Item>(
  items: readonly Item[],
  groupOf: (item: Item) => number,
  longest: number,
): (readonly Item[])[] {
  if (items.length === 1) return [items];
  const open = new Map<number, Item[]>();
  const lists: Item[][] = [];
  for (const item of items) {
    const group = groupOf(item);
    let list = open.get(group);
    if (list === undefined || list.length === longest) {
      list = [];
      open.set(group, list);
      lists.push(list);
    }
    list.push(item);
  }
  return lists;
}
