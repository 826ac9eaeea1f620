// The standard's rules for the public pages; a reason for each that is changed.
export default {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // A word of the house: both ways of writing it are the standard's.
    "doctype-style": ["error", { style: "lowercase" }],
    // Every button here sends the form it stands in, as buttons do by themselves.
    "no-implicit-button-type": "off",
    // Topics are boxes of one name, as a form without scripts has them; of buttons of
    // one name the one that is pressed counts.
    "form-dup-name": ["error", { shared: ["radio", "checkbox", "submit"] }],
  },
};
