// Before anything is drawn: whoever had the tour, or skipped it, does not see it come and go.

if (localStorage.getItem("telco.toured") !== null) document.documentElement.classList.add("toured");
