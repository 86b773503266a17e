/** Pages of what waits in the partitions of a topic: in the order of the times, over all of them. */

/** Two of one time stand in the order of their partitions, and in one partition in the order they came (`seq`). */
export interface TopicPlace {
  readonly deliverAt: number;
  readonly partition: number;
  readonly seq: number;
}

export const FIRST_PLACE: TopicPlace = { deliverAt: 0, partition: 0, seq: 0 };

export const formatPlace = ({ deliverAt, partition, seq }: TopicPlace): string => `${deliverAt}.${partition}.${seq}`;

/** The inverse; null for every other spelling. */
export function parsePlace(text: string): TopicPlace | null {
  const match = /^(\d{1,15})\.(\d{1,2})\.(\d{1,15})$/.exec(text);
  if (match === null) return null;
  const [deliverAt, partition, seq] = match.slice(1).map(Number) as [number, number, number];
  return { deliverAt, partition, seq };
}

/** Where one partition goes on behind that place. */
export function placeIn(partition: number, place: TopicPlace): Omit<TopicPlace, "partition"> {
  const { deliverAt } = place;
  if (partition === place.partition) return { deliverAt, seq: place.seq };
  return { deliverAt, seq: partition < place.partition ? Number.MAX_SAFE_INTEGER : 0 };
}

interface PartitionPage<Item> {
  readonly partition: number;
  readonly items: readonly Item[];
  readonly isLast: boolean;
}

/** The first `limit` of all, and the place behind which there is more; null: there is none. */
export function mergePages<Item extends Omit<TopicPlace, "partition">>(
  pages: readonly PartitionPage<Item>[],
  limit: number,
): { readonly items: readonly (Item & TopicPlace)[]; readonly next: TopicPlace | null } {
  const placed = pages.map(({ partition, items }) => items.map((item) => ({ ...item, partition })));
  const all = placed.flat().toSorted(comparePlaces);
  // Behind the end of a page that is not its partition's last, something of that partition may come first.
  const ends = pages.flatMap(({ isLast }, index) => (isLast ? [] : placed[index]!.slice(-1)));
  const known = all.filter((item) => ends.every((end) => comparePlaces(item, end) <= 0));
  const items = known.slice(0, limit);
  const isAll = items.length === all.length && ends.length === 0;
  const last = items.at(-1);
  if (isAll || last === undefined) return { items, next: null };
  return { items, next: { deliverAt: last.deliverAt, partition: last.partition, seq: last.seq } };
}

const comparePlaces = (left: TopicPlace, right: TopicPlace): number =>
  left.deliverAt - right.deliverAt || left.partition - right.partition || left.seq - right.seq;
