/** What the shop sells, and to whom. Prices in euros, as the order states them; sums are made in cents. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  readonly stock: number;
}

export interface Customer {
  readonly id: string;
  readonly name: string;
}

export const PRODUCTS: readonly Product[] = [
  { id: "kettle-steel", name: "Steel kettle, 1.2 l", price: 64.5, stock: 40 },
  { id: "cup-stoneware", name: "Stoneware cup", price: 14.9, stock: 400 },
  { id: "tea-assam", name: "Assam tea, 250 g", price: 11.25, stock: 250 },
  { id: "filter-linen", name: "Linen tea filter", price: 6.8, stock: 180 },
  { id: "timer-brass", name: "Brass hourglass, 3 min", price: 19.99, stock: 75 },
];

export const CUSTOMERS: readonly Customer[] = [
  { id: "cust-1041", name: "Ada Okafor" },
  { id: "cust-1187", name: "Jonas Lindqvist" },
  { id: "cust-1203", name: "Mei Tanaka" },
  { id: "cust-1366", name: "Rosa Delgado" },
];

const byId = <Item extends { readonly id: string }>(items: readonly Item[]): ReadonlyMap<string, Item> =>
  new Map(items.map((item) => [item.id, item]));

export const productById = byId(PRODUCTS);
export const customerById = byId(CUSTOMERS);
