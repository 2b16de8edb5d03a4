/* Grapevine: keeps who referred this visitor, and reports views and shares of share links. */
(function (settings) {
  "use strict";

  const KEY = /^[A-Za-z0-9_-]{1,100}$/;
  const ID = /^[A-Za-z0-9_-]{16,64}$/;
  const tag = document.currentScript;
  const ours = settings || { campaignId: "", attributionModel: "LAST_CLICK", cookieWindowDays: 0 };
  const referrerCookie = "grsf_" + ours.campaignId;
  const visitorCookie = "grsf_visitor_" + ours.campaignId;

  function read(name, form) {
    for (const each of document.cookie.split("; ")) {
      const value = each.slice(name.length + 1);
      if (each.startsWith(name + "=") && form.test(value)) return value;
    }
    return null;
  }

  function keep(name, value) {
    const seconds = ours.cookieWindowDays * 86400;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = name + "=" + value + "; Path=/; Max-Age=" + seconds + "; SameSite=Lax" + secure;
  }

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function parameter(name, form) {
    const value = new URLSearchParams(location.search).get(name);
    return value && form.test(value) ? value : null;
  }

  /* Plain text, so that the browser asks no leave first. Sent once more if it failed. */
  function send(what, fields) {
    const known = { campaignId: ours.campaignId, visitor: visitor, requestId: newId() };
    const body = JSON.stringify(Object.assign(known, fields));
    const url = new URL("track/" + what, tag.src);
    const attempt = () =>
      fetch(url, { method: "POST", body: body, keepalive: true, credentials: "omit" }).then((answer) => {
        if (answer.status === 409 || answer.status >= 500) throw new Error("try again");
        return answer.ok ? answer.json().then((told) => told.counted) : false;
      });
    const pause = () => new Promise((go) => setTimeout(go, 1000));
    return attempt().catch(() => pause().then(attempt)).catch(() => false);
  }

  let referrer = null;
  let visitor = null;

  window.grapevine = {
    /* The key of the participant who referred this visitor, or null. */
    getReferrerId: () => referrer,
    /* Counts a share, of the participant named or of the one that the page is for. */
    share: (channel, key) => {
      const sharer = key || tag.dataset.participant || referrer;
      return settings && sharer ? send("share", { key: sharer, channel: channel }) : Promise.resolve(false);
    },
  };

  if (!settings) {
    console.warn("grapevine.js: there is no campaign with this id");
    return;
  }

  const kept = read(referrerCookie, KEY);
  const clicked = parameter("grsf", KEY);
  referrer = kept;
  if (clicked && (!kept || ours.attributionModel === "LAST_CLICK")) {
    referrer = clicked;
    keep(referrerCookie, clicked);
  }

  /* A short link has counted this view, and says who the visitor is. */
  const counted = parameter("grsf_visit", ID);
  visitor = counted || read(visitorCookie, ID) || newId();
  if (referrer) keep(visitorCookie, visitor);
  if (counted) {
    const clean = new URL(location.href);
    clean.searchParams.delete("grsf_visit");
    history.replaceState(history.state, "", clean);
  } else if (referrer) {
    const view = () => send("impression", { key: referrer });
    if (document.prerendering) document.addEventListener("prerenderingchange", view, { once: true });
    else view();
  }
})(__SETTINGS__);
