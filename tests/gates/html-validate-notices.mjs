// The rules for editions' letters, and one more reason.
import letters from "./html-validate.mjs";

export default {
  ...letters,
  rules: {
    ...letters.rules,
    // A word of the house: both ways of writing it are the standard's.
    "doctype-style": ["error", { style: "lowercase" }],
  },
};
