// Tells the server in which time zone its reader lives, so that pages show times as the clock does.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const said = `expunge_zone=${zone}`;
  if (!zone || document.cookie.split("; ").includes(said)) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${said}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
})();
