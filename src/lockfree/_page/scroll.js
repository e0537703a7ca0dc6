// the hint and the fixed first column only where something is wider than the screen
function look() {
  for (const box of document.querySelectorAll(".scroll"))
    box.parentElement.classList.toggle("more", box.scrollWidth > box.clientWidth + 1);
}
for (const event of ["resize", "toggle"]) addEventListener(event, look, true);
look();
