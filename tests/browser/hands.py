"""Two ways to use the builder of segments: with a mouse alone and with a keyboard alone."""

import re

from playwright.sync_api import expect

# What the browser itself was told by a hand, whatever the page made of it.
WATCH = """
globalThis.used = new Set();
for (const kind of ["keydown", "pointerdown"])
  addEventListener(kind, (event) => event.isTrusted && used.add(kind), true);
"""
FOCUSED = "(one) => one === document.activeElement || one.contains(document.activeElement)"
FARTHEST = 150


class Hands:
    """What is done with either: rows are added, and what stands in them is chosen."""

    alone = ""

    def __init__(self, visitor):
        self.visitor, self.page = visitor, visitor.page

    def add(self, name):
        """Add a condition on what is called so."""
        self.press(self.page.get_by_role("button", name="Add a condition", exact=True))
        self.find(self.page.get_by_role("dialog"), name)
        expect(self.row(name)).to_be_visible()

    def add_detail(self, row, name):
        """Add a detail to the row of a function."""
        self.press(self.row(row).get_by_text("Add a detail"))
        self.press(self.row(row).get_by_role("button", name=re.compile(f"^{name}")))
        expect(self.row(row).get_by_label(f"{row}, {name}: comparison")).to_be_visible()

    @property
    def choices(self):
        """What the shop itself has to offer for a field."""
        return self.page.get_by_role("listbox", name="What there is in this shop").get_by_role("option")

    def row(self, name):
        return self.page.get_by_role("group", name=re.compile(rf"^Condition \d+: {name}$")).last

    def fill(self, row, name, operator=None, *, number=None, days=None, word=None, first=False):
        """Say what a condition, or a detail of one, is to be; whatever is not given stays as it begins."""
        inside = self.row(row)
        name = name if name == row else f"{row}, {name}"
        if operator:
            compared = inside.get_by_label(f"{name}: comparison")
            self.choose(compared, operator)
            expect(compared.locator("option[selected]")).to_have_text(operator)  # as the server has drawn it
        if number is not None:
            self.set_number(inside.get_by_label(name, exact=True), number)
        if days is not None:
            self.set_number(inside.get_by_label(f"{name}: how many", exact=True), days)
        if word is not None:
            self.choose(inside.get_by_label(name, exact=True), word)
        return self.take_first(inside.get_by_label(name, exact=True)) if first else None


class Mouse(Hands):
    alone = "pointerdown"

    def press(self, control):
        control.click()

    def find(self, dialog, name):
        dialog.get_by_role("button").filter(has=self.page.get_by_text(name, exact=True)).click()

    def choose(self, field, word):
        """The list of a field is drawn by the system, out of reach: it is chosen from as a click there does."""
        field.select_option(label=word)

    def set_number(self, field, number):
        stepper = field.locator("xpath=..")
        while (now := float(field.input_value())) != number:
            before = field.input_value()
            stepper.get_by_role("button", name="less" if now > number else "more").click()
            assert field.input_value() != before

    def take_first(self, field):
        field.click()
        self.choices.first.click()
        return field.input_value()


class Keyboard(Hands):
    alone = "keydown"

    def reach(self, control):
        """Go from one thing to the next until this one has the focus."""
        for _ in range(FARTHEST):
            if control.evaluate(FOCUSED):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {control}")

    def press(self, control):
        self.reach(control)
        self.page.keyboard.press("Enter")

    def find(self, dialog, name):
        self.page.keyboard.type(name)
        self.press(dialog.get_by_role("button").filter(has=self.page.get_by_text(name, exact=True)))

    def choose(self, field, word):
        self.reach(field)
        words = [one.strip() for one in field.locator("option").all_text_contents()]
        for key in ("Space", "Home", *["ArrowDown"] * words.index(word), "Enter"):
            self.page.keyboard.press(key)

    def set_number(self, field, number):
        self.reach(field)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(str(number))

    def take_first(self, field):
        self.reach(field)
        self.page.keyboard.press("ArrowDown")
        expect(self.choices.first).to_be_visible()
        self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Enter")
        return field.input_value()
