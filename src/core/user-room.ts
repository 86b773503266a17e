/**
 * Where the signed-in connections of one user are counted over all hubs: a room beside those of presence channels,
 * whose one member is the user. It has a name that no topic can have, and one life that never ends.
 */
export const userRoom = (user: string): string => `#${user}`;

export const isUserRoom = (room: string): boolean => room.startsWith("#");

export const USER_ROOM_EPOCH = 1;
