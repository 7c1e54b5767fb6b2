// What the theme leaves out for whoever has no mouse, or no eyes.
"use strict";

const DRAWERS = { nav: ["All pages", ".sidebar-drawer"], toc: ["On this page", ".toc-drawer"] };

function openable(button, words) {
    button.setAttribute("role", "button");
    button.setAttribute("aria-label", words);
    button.tabIndex = 0;
    button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
    });
}

function scrollable() {
    for (const one of document.querySelectorAll("pre, .table-wrapper, p:has(> img)")) {
        if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
        else one.removeAttribute("tabindex");
    }
}

// A page that is a file may not read the others: results are titles alone then.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

document.addEventListener("DOMContentLoaded", () => {
    for (const [name, [words, drawer]] of Object.entries(DRAWERS)) {
        document.querySelector(drawer).setAttribute("aria-label", words);
        const buttons = document.querySelectorAll(`.${name}-overlay-icon .icon`);
        buttons.forEach((one) => openable(one, words));
    }
    addEventListener("resize", scrollable);
    scrollable();
});
