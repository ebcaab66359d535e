export const deliveryStates = ['pending', 'delivered', 'dead'] as const;
/** `dead`: given up after a day of attempts; it can be replayed. */
export type DeliveryState = (typeof deliveryStates)[number];
