// The standard's rules, less those that mail programs make impossible, each with its reason.
export default {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // Outlook on Windows draws with Word: it reads bgcolor, align, width and the like.
    "no-deprecated-attr": "off",
    "deprecated": "error",
    // Every program adds it by itself, and a letter may not grow for nothing.
    "prefer-tbody": "off",
    // Gmail drops <style> for other firms' addresses, so styles stand on their elements.
    "no-inline-style": "off",
    // Word's ghost table that holds the letter at 600 pixels.
    "no-conditional-comment": "off",
    // <main> and <article> are dropped by several programs; their roles on <div> are not.
    "prefer-native-element": "off",
  },
};
