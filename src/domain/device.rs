//! Names of devices, such as "Chrome on Windows", made from the `User-Agent` of a request (RFC 9110 §10.1.5).
//!
//! Clients choose that field, and a name is shown in e-mails. So it has only ASCII letters, digits, `-`, `_`, spaces,
//! and dots between digits: it is no link, and nothing in it is invisible or changes the direction of the text.

/// How many characters of a `User-Agent` are read.
const READ: usize = 512;

/// The longest name of a product that we do not know, in characters.
const MAX_PRODUCT: usize = 30;

/// Digits in such a name. More could be a phone number, which e-mail programs turn into a link.
const MAX_DIGITS: usize = 4;

/// Products and what people call them. The first that a `User-Agent` has is its name: nearly all browsers claim to be
/// Chrome or Safari too.
const KNOWN: &[(&str, &str)] = &[
    ("Slack_SSB", "Slack"),
    ("Slack", "Slack"),
    ("Teams", "Microsoft Teams"),
    ("discord", "Discord"),
    ("FBAN", "Facebook"),
    ("FB_IAB", "Facebook"),
    ("Instagram", "Instagram"),
    ("LinkedInApp", "LinkedIn"),
    ("MicroMessenger", "WeChat"),
    ("GSA", "Google app"),
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("Edge", "Edge"),
    ("OPR", "Opera"),
    ("OPX", "Opera"),
    ("OPT", "Opera"),
    ("OPiOS", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex Browser"),
    ("Whale", "Whale"),
    ("UCBrowser", "UC Browser"),
    ("QQBrowser", "QQ Browser"),
    ("MQQBrowser", "QQ Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("Silk", "Silk"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg", "DuckDuckGo"),
    ("Brave", "Brave"),
    ("SeaMonkey", "SeaMonkey"),
    ("Focus", "Firefox Focus"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Headless Chrome"),
];

/// Parts of the first comment that name the system, in order, and what people call it.
const SYSTEMS: &[(&str, &str)] = &[
    ("Windows Phone", "Windows Phone"),
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iPod", "iPod"),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", MACOS),
    ("Mac OS X", MACOS),
    ("macOS", MACOS),
    ("iOS", "iOS"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

const MACOS: &str = "macOS";

/// Products that every browser of some engine names.
const OF_AN_ENGINE: &[&str] = &[
    "Mozilla",
    "AppleWebKit",
    "Gecko",
    "Chrome",
    "Safari",
    "Version",
    "Mobile",
    "Electron",
];

/// Names the device: browser and system of a browser, product and version of a program, such as "curl 7.88". `None` if
/// nothing in it can be a name.
pub fn name_of(user_agent: &str) -> Option<String> {
    let read = user_agent.char_indices().nth(READ);
    let text = read.map_or(user_agent, |(end, _)| {
        user_agent.get(..end).unwrap_or_default()
    });
    let agent = UserAgent::read(text);
    let system = agent.system();
    let is_named_by_its_start = !text.trim_start().starts_with("Mozilla/");
    let name = if let Some(bot) = agent.bot() {
        return Some(bot);
    } else if is_named_by_its_start {
        product_at_start(text)?
    } else {
        agent.browser(system).or_else(|| product_at_start(text))?
    };
    Some(match system {
        Some(system) => format!("{name} on {system}"),
        None => name,
    })
}

/// A name that was stored. Earlier versions stored the `User-Agent` itself.
pub fn stored(text: String) -> Option<String> {
    let between_digits = |at: usize| {
        let is_digit = |at: Option<usize>| {
            let byte = at.and_then(|at| text.as_bytes().get(at));
            byte.is_some_and(u8::is_ascii_digit)
        };
        is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1))
    };
    let mut bytes = text.bytes().enumerate();
    let is_name = bytes.all(|(at, byte)| match byte {
        b'.' => between_digits(at),
        _ => is_in_names(char::from(byte)),
    });
    if is_name && !text.is_empty() {
        Some(text)
    } else {
        name_of(&text)
    }
}

/// The name without its version: an update does not make another device of it.
pub fn without_version(name: &str) -> String {
    let words = name.split(' ');
    let kept: Vec<&str> = words
        .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    kept.join(" ")
}

/// Products and comments, in their order.
struct UserAgent<'a> {
    products: Vec<(&'a str, Option<&'a str>)>,
    comments: Vec<&'a str>,
}

impl<'a> UserAgent<'a> {
    fn read(text: &'a str) -> Self {
        let (mut products, mut comments) = (Vec::new(), Vec::new());
        let mut rest = text;
        loop {
            let (before, after) = rest.split_once('(').unwrap_or((rest, ""));
            let words = before.split_whitespace();
            products.extend(words.map(|word| match word.split_once('/') {
                Some((name, version)) => (name.trim_start_matches('['), Some(version)),
                None => (word, None),
            }));
            if after.is_empty() {
                return Self { products, comments };
            }
            let (comment, behind) = after.split_at(end_of_comment(after));
            comments.push(comment);
            rest = behind.strip_prefix(')').unwrap_or_default();
        }
    }

    fn has(&self, name: &str) -> bool {
        let mut products = self.products.iter();
        products.any(|(product, version)| *product == name && version.is_some())
    }

    fn system(&self) -> Option<&'static str> {
        let comment = self.comments.first()?;
        let mut systems = SYSTEMS.iter();
        let &(_, system) = systems.find(|(part, _)| comment.contains(part))?;
        // An iPad asks for the desktop's pages as a Mac does; only other browsers than Safari show what it is.
        let is_mobile = ["Mobile", "CriOS", "FxiOS", "EdgiOS"]
            .iter()
            .any(|it| self.has(it));
        Some(if system == MACOS && is_mobile {
            "iPad"
        } else {
            system
        })
    }

    /// What a crawler calls itself: `(compatible; Googlebot/2.1; +http://…)`.
    fn bot(&self) -> Option<String> {
        self.comments.iter().find_map(|comment| {
            let (_, named) = comment.split_once("compatible;")?;
            let product = named.split(';').next()?.trim();
            if product.starts_with("MSIE") {
                return None;
            }
            product_at_start(product)
        })
    }

    fn browser(&self, system: Option<&str>) -> Option<String> {
        if let Some((_, name)) = KNOWN.iter().find(|(product, _)| self.has(product)) {
            return Some((*name).to_owned());
        }
        let comment = self.comments.first().copied().unwrap_or_default();
        let is_web_view = comment.split(';').any(|part| part.trim() == "wv");
        let is_in_app = is_web_view || self.has("Electron") || !self.has("Safari");
        let own = self.products.iter().find_map(|&(product, version)| {
            let is_own = version.is_some() && !OF_AN_ENGINE.contains(&product);
            is_own.then(|| named(product, version)).flatten()
        });
        let name = match own {
            Some(own) if is_in_app => return Some(own),
            _ if comment.contains("Trident/") || comment.contains("MSIE ") => "Internet Explorer",
            _ if self.has("AppleWebKit") && is_in_app => "In-app browser",
            _ if self.has("Chrome") => "Chrome",
            _ if matches!(system, Some("iPhone" | "iPad" | "iPod" | MACOS | "Windows"))
                && self.has("Safari") =>
            {
                "Safari"
            }
            _ if system.is_some() => "Browser",
            _ => return None,
        };
        Some(name.to_owned())
    }
}

/// Where the comment ends whose text begins `text`; comments may be nested.
fn end_of_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The product that a text begins with: `My App/2.1 …`, or `My App 2.1 (…)`.
fn product_at_start(text: &str) -> Option<String> {
    let end = text.find(['/', '(']).unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    if let Some(version) = tail.strip_prefix('/') {
        return named(head, Some(version));
    }
    let head = head.trim_end();
    match head.rsplit_once(' ') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            named(name, Some(version))
        }
        _ => named(head, None),
    }
}

fn named(product: &str, version: Option<&str>) -> Option<String> {
    let mut digits = 0;
    let safe: String = product
        .chars()
        .map(|c| if is_in_names(c) { c } else { ' ' })
        .skip_while(|c| !c.is_ascii_alphabetic())
        .filter(|c| {
            digits += usize::from(c.is_ascii_digit());
            !c.is_ascii_digit() || digits <= MAX_DIGITS
        })
        .collect();
    let words: Vec<&str> = safe.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(MAX_PRODUCT).collect();
    let name = name.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() {
        return None;
    }
    Some(match version.and_then(major_and_minor) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    })
}

/// The first two numbers of a version.
fn major_and_minor(version: &str) -> Option<String> {
    let version = version.trim_start_matches('v');
    let mut numbers = version.split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit());
        part.get(..end.unwrap_or(part.len())).unwrap_or_default()
    });
    let major = numbers.next().filter(|it| (1..=4).contains(&it.len()))?;
    let minor = numbers.next().filter(|it| (1..=3).contains(&it.len()));
    Some(match minor {
        Some(minor) => format!("{major}.{minor}"),
        None => major.to_owned(),
    })
}

fn is_in_names(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(user_agent: &str) -> String {
        name_of(user_agent).unwrap_or_default()
    }

    const GECKO: &str = "(KHTML, like Gecko)";

    #[track_caller]
    fn check(cases: &[(&str, &str)]) {
        for (user_agent, expected) in cases {
            let user_agent = user_agent.replace('%', GECKO);
            assert_eq!(name(&user_agent), *expected, "{user_agent}");
        }
    }

    #[test]
    fn browsers_are_named_with_their_system() {
        check(&[
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 % Chrome/142.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 % Chrome/142.0.0.0 Safari/537.36",
                "Chrome on macOS",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 % Chrome/142.0.0.0 Safari/537.36",
                "Chrome on ChromeOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 % Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 % CriOS/142.0.7444.77 \
                 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 % CriOS/142 Version/18.6 \
                 Safari/605.1.15",
                "Chrome on iPad",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 % HeadlessChrome/142.0.0.0 Safari/537.36",
                "Headless Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 % Chrome/142.0.0.0 Safari/537.36 \
                 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; HD1913) AppleWebKit/537.36 % Chrome/142.0.7444.60 Mobile \
                 Safari/537.36 EdgA/141.0.3537.99",
                "Edge on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 % Version/18.0 \
                 EdgiOS/141.3537.99 Mobile/15E148 Safari/605.1.15",
                "Edge on iPhone",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 % Chrome/142.0.0.0 Safari/537.36 OPR/123.0.0.0",
                "Opera on Linux",
            ),
            (
                "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16",
                "Opera 9.80 on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 15.7; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on macOS",
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Android 16; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
                "Firefox on Android",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 % FxiOS/145.0 Mobile/15E148 \
                 Safari/605.1.15",
                "Firefox on iPad",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 % Version/26.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 % Version/26.0 \
                 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 % SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile \
                 Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 % Version/17.4 Safari/605.1.15",
                "Browser on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
                "Internet Explorer on Windows",
            ),
            (
                "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
                "Internet Explorer on Windows",
            ),
        ]);
    }

    #[test]
    fn browsers_in_apps_have_the_name_of_the_app() {
        check(&[
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 % Slack/4.41.105 \
                 Chrome/130.0.6723.137 Electron/33.3.1 Safari/537.36 Sonic Slack_SSB/4.41.105",
                "Slack on macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 % Acme-Desk/2.4.1 Chrome/130.0.6723.137 \
                 Electron/33.3.1 Safari/537.36",
                "Acme-Desk 2.4 on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) AppleWebKit/537.36 % Version/4.0 \
                 Chrome/142.0.7444.102 Mobile Safari/537.36",
                "In-app browser on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 % Mobile/15E148",
                "In-app browser on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 % Mobile/15E148 Acme/3.0",
                "Acme 3.0 on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 % Mobile/15E148 \
                 [FBAN/FBIOS;FBAV/485.0;FBBV/1]",
                "Facebook on iPhone",
            ),
            (
                "com.tinyspeck.chatlyio/24.10.10 (iPhone; iOS 17.5; Scale/3.00)",
                "com tinyspeck chatlyio 24.10 on iPhone",
            ),
        ]);
    }

    #[test]
    fn programs_and_bots_have_their_product_and_version() {
        check(&[
            ("curl/7.88.1", "curl 7.88"),
            ("okhttp/4.12.0", "okhttp 4.12"),
            ("Dart/3.5 (dart:io)", "Dart 3.5"),
            ("python-requests/2.32.3", "python-requests 2.32"),
            ("node", "node"),
            (
                "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
                "node-fetch 1.0",
            ),
            ("MyApp/2.1 CFNetwork/1568.200.51 Darwin/24.1.0", "MyApp 2.1"),
            ("Slack Ruby Client/2.1.0", "Slack Ruby Client 2.1"),
            (
                "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A)",
                "Dalvik 2.1 on Android",
            ),
            (
                "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
                "Slackbot-LinkExpanding 1.0",
            ),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "Googlebot 2.1",
            ),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; \
                 +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
                "bingbot 2.0",
            ),
            ("Mozilla/5.0", "Mozilla 5.0"),
            ("Acme v2", "Acme v2"),
            ("Acme/v2.30.1", "Acme 2.30"),
        ]);
    }

    #[test]
    fn what_a_client_writes_is_cut_to_a_short_and_safe_name() {
        check(&[
            ("https://evil.example/x", "https"),
            ("www.evil.example", "www evil example"),
            ("me@evil.example/1.0", "me evil example 1.0"),
            ("\u{202e}moc.live\u{2066}/1", "moc live 1"),
            ("a\u{200b}b\r\nBcc: x@y.example", "a b Bcc x y example"),
            ("Call +1-800-555-0199", "Call 1-800"),
            ("Call/555.0199", "Call 555"),
            ("<b>Hi</b>", "b Hi"),
            ("1.2.3.4", ""),
            ("日本", ""),
            ("", ""),
            ("/1.0", ""),
        ]);
        assert_eq!(name(&"x".repeat(40_000)), "x".repeat(30));
    }

    #[test]
    fn a_stored_name_stays_and_a_stored_user_agent_is_named() {
        let stored = |text: &str| stored(text.to_owned()).unwrap_or_default();
        for name in [
            "Chrome on Windows",
            "curl 7.88",
            "Phone",
            "com tinyspeck chatlyio 24.10 on iPhone",
        ] {
            assert_eq!(stored(name), name);
        }
        assert_eq!(stored("curl/7.88.1"), "curl 7.88");
        assert_eq!(stored("evil.example"), "evil example");
        assert_eq!(stored("."), "");
    }

    #[test]
    fn an_update_makes_no_other_device() {
        assert_eq!(without_version("curl 7.88"), "curl");
        assert_eq!(without_version("MyApp 2.1 on iPhone"), "MyApp on iPhone");
        assert_eq!(without_version("Chrome on Windows"), "Chrome on Windows");
    }

    proptest::proptest! {
        #[test]
        fn no_user_agent_makes_an_unsafe_name(user_agent in proptest::prop_oneof![
            "\\PC{0,80}",
            "(Mozilla/5\\.0 )?[ -~]{0,60}",
            "[a-z./:@( );0-9]{0,80}",
        ]) {
            if let Some(name) = name_of(&user_agent) {
                proptest::prop_assert!(!name.is_empty() && name.len() <= 60, "{name}");
                proptest::prop_assert_eq!(stored(name.clone()), Some(name));
            }
        }
    }
}
