package assets

import (
	"regexp"
	"strings"
	"testing"
)

// unkind are words that no text may have: they blame, frighten or speak as
// programmers do among themselves. Each is told why.
var unkind = []struct {
	why   string
	langs string // "en", "sv" or "en sv"
	words *regexp.Regexp
}{
	{"blames", "en", regexp.MustCompile(`(?i)\b(you failed|your (fault|mistake)|user error|wrong user|you (did|made) (it )?wrong|you should have|you forgot)\b`)},
	{"blames", "sv", regexp.MustCompile(`(?i)(fel användare|användarfel|ditt eget fel|du (har )?(gjort|gjorde|skrev|skrivit|angav) fel|du misslyckades|du borde ha|du glömde)`)},
	{"scolds", "en", regexp.MustCompile(`(?i)\b(invalid|illegal|forbidden|bad (input|request|value)|malformed|not permitted|prohibited)\b`)},
	{"scolds", "sv", regexp.MustCompile(`(?i)(ogiltig|olaglig|otillåt|felaktig|förbjud)`)},
	{"frightens", "en", regexp.MustCompile(`(?i)\b(fatal|abort(ed|ing)?|kill(ed)?|crash dump|panic(ked)?|catastroph\w*|corrupt(ed|ion)?)\b`)},
	{"frightens", "sv", regexp.MustCompile(`(?i)(fatal|aborter|katastrof|korrupt)`)},
	{"plays", "en sv", regexp.MustCompile(`(?i)\b(oops|whoops|uh-oh|hoppsan|attans|tyvärr|unfortunately|sorry)\b`)},
	{"is jargon", "en sv", regexp.MustCompile(`(?i)\b(snapshots?|repositor(y|ies)|manifests?|daemons?|exceptions?|stack ?traces?|timeouts?|timed out|payloads?|parse[drs]?|parsing|hash(es)?|backends?|frontends?|stdin|stdout|stderr|mutex|runtime|deprecated|utf-8|regex|boolean|integers?|strings?|arrays?|checksums?|metadata|sync(ed|ing|hroni[sz]\w*)?|initiali[sz]\w*|instantiat\w*)\b`)},
	{"is jargon", "en", regexp.MustCompile(`(?i)\b(execut(e|ed|ing|ion)|terminated|configur(e|ed|ation)|authenticat\w*|credentials?|sockets?|endpoints?|blobs?|buckets?|tokens?|cach(e|es|ing))\b`)},
	{"is jargon", "sv", regexp.MustCompile(`(?i)(ögonblicksbild|exekver|terminera|konfigur|autentiser|synk(a|ro)|tidsgräns överskred|strängar|heltalsvärde|\bsockets?\b|\bendpoints?\b|\bblobs?\b|\btokens?\b|cachning)`)},
	{"is jargon", "en sv", regexp.MustCompile(`\b(NULL|nil|NaN|undefined|EOF|I/O|errno|TCP|HTTP [1-5][0-9][0-9])\b`)},
	{"is not what we call it", "sv", regexp.MustCompile(`(?i)(stora dagar|ta upp (den|dem) igen|\bbackup(en|er|erna)\b|\brestore)`)},
}

// needed are keys, by their beginnings, whose texts name a thing as others
// write it, so that the owner finds it there.
var needed = []string{
	"cli.",                // for a terminal
	"guide.",              // says what stands on buttons of other services
	"storage.s3.",         // bucket, token: on every provider's pages
	"storage.gcs.",        // likewise
	"storage.b2.",         // likewise
	"storage.azure.",      // likewise
	"storage.rclone.",     // rclone config is the command
	"source.",             // fields are called as in the platform that the value is copied from
	"settings.channel.",   // ntfy and Slack call it a token
	"kit.first.",          // file names to type
	"kit.fingerprint",     // SHA-256 is what an expert checks
	"error.lock_bucket.",  // the provider's own word for it
	"error.lock_open.",    // likewise
	"error.storage_",      // likewise
	"error.vault_",        // likewise
	"safety.lock.open.",   // likewise
	"capacity.ask.text",   // to the host, in its own words
	"incident.step.publi", // the host's
}

func spared(key string) bool {
	for _, n := range needed {
		if strings.HasPrefix(key, n) {
			return true
		}
	}
	return false
}

// loud are words in capitals that are written so everywhere: names of ways to
// connect and what stands in a file.
var loud = map[string]bool{
	"SFTP": true, "FTPS": true, "SMTP": true, "STARTTLS": true, "JSON": true, "REST": true, "BEGIN": true, "AAAA": true,
	"SQLEXPRESS": true, "SERVER": true, "AUTH": true, "YOUR": true, "BUCKET": true, "MAPP": true, "FOLDER": true, "CAPITALS": true,
}

var shouted = regexp.MustCompile(`\b[A-ZÅÄÖ]{4,}\b`)

// faults returns what is wrong with the tone of a text, without what is filled
// in.
func faults(lang, key, text string) []string {
	text = placeholder.ReplaceAllString(text, "")
	var out []string
	for _, u := range unkind {
		if strings.Contains(u.langs, lang) && (u.why != "is jargon" || !spared(key)) {
			if m := u.words.FindString(text); m != "" {
				out = append(out, "“"+m+"” "+u.why)
			}
		}
	}
	// A letter may greet its reader.
	if strings.Contains(text, "!") && !strings.HasPrefix(key, "incident.message.") {
		out = append(out, "exclaims")
	}
	if strings.HasPrefix(key, "cli.") || key == "approve.then" {
		return out // shows commands, and what to fill in there
	}
	for _, w := range shouted.FindAllString(text, -1) {
		if !loud[w] {
			out = append(out, "“"+w+"” shouts")
		}
	}
	if strings.Contains(text, `"`) {
		out = append(out, "has a typewriter's quotes")
	}
	if lang == "sv" && strings.ContainsAny(text, "“«»„") || lang == "en" && strings.Count(text, "“") != strings.Count(text, "”") {
		out = append(out, "has quotes of another language")
	}
	return out
}

// TestWords_tone: no text blames, scolds, frightens or shouts, or speaks of what
// only programmers know.
func TestWords_tone(t *testing.T) {
	t.Parallel()
	n := 0
	for _, area := range areas(t) {
		for _, lang := range Languages() {
			for key, text := range messages(t, area+"."+lang+".json") {
				n++
				for _, f := range faults(lang, key, text) {
					t.Errorf("%s.%s: %s %s: %q", area, lang, key, f, text)
				}
			}
		}
	}
	if n < 5000 {
		t.Errorf("only %d texts were read", n)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Invalid address":           "scolds",
		"Ogiltig kod":               "scolds",
		"Oops, that went wrong":     "plays",
		"The snapshot is gone":      "is jargon",
		"NULL":                      "is jargon",
		"Du har skrivit fel":        "blames",
		"You forgot the passphrase": "blames",
		"It works!":                 "exclaims",
		"Kvart HITTADE inget":       "shouts",
		`Tryck på "Leta"`:           "typewriter",
		"Tryck på “Leta”":           "another language",
	} {
		var all []string
		for _, lang := range Languages() {
			all = append(all, faults(lang, "x", text)...)
		}
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%q: %q, want %q", text, all, want)
		}
	}
	for lang, text := range map[string]string{"en": "Press “Look for it”. {{if eq .a \"b\"}}x{{end}}", "sv": "Tryck på ”Leta”."} {
		if f := faults(lang, "x", text); f != nil {
			t.Errorf("%q: %q", text, f)
		}
	}
}
