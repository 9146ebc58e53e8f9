// What a choice of numbers costs, in ten-thousandths, so that no cent is lost on the way.

const PARTS = 10_000;

/** Return `{ upfront, monthly }` as texts in this language; a price that is not known makes its sum unknown. */
export function sums(offers, language) {
  return { upfront: sum(offers, "upfront", language), monthly: sum(offers, "monthly", language) };
}

function sum(offers, name, language) {
  let total = 0;
  for (const offer of offers) {
    if (!offer[name]) return "?";
    total += Math.round(Number(offer[name]) * PARTS);
  }
  const amount = (total / PARTS).toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `${amount} ${offers[0]?.currency ?? ""}`.trim();
}
