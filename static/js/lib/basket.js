// What a choice of numbers costs, in ten-thousandths, so that no cent is lost on the way.

const PARTS = 10_000;

/** Return `{ upfront, monthly }` as texts; a price that is not known makes its sum unknown. */
export function sums(offers) {
  return { upfront: sum(offers, "upfront"), monthly: sum(offers, "monthly") };
}

function sum(offers, name) {
  let total = 0;
  for (const offer of offers) {
    if (!offer[name]) return "?";
    total += Math.round(Number(offer[name]) * PARTS);
  }
  const currency = offers[0]?.currency ?? "";
  return `${(total / PARTS).toFixed(2)} ${currency}`.trim();
}
