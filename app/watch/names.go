package watch

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
)

// ransomEndings are what ransomware is known to add to names, one a line.
//
//go:embed ransom.txt
var ransomEndings string

func isRansom(ending string) bool {
	return ending != "" && slices.Contains(strings.Fields(ransomEndings), strings.TrimPrefix(ending, "."))
}

// isOrdinary reports whether an ending is one that many shops have: a folder in
// which it turns up for the first time is no alarm.
func isOrdinary(ending string) bool {
	return ending == "" || known(ending) || slices.Contains([]string{
		".db", ".sqlite", ".sqlite3", ".bak", ".tmp", ".exe", ".dll", ".ttf", ".otf", ".woff", ".woff2", ".mov", ".avi", ".mkv", ".mp3", ".wav", ".ogg", ".webm",
		".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".ai", ".eps", ".indd", ".rtf", ".pages", ".numbers", ".key", ".dat", ".bin", ".map", ".ts", ".tsx", ".jsx",
		".py", ".lock", ".ico", ".avif", ".jxl", ".si", ".se", ".sie", ".xlsm", ".xlsb", ".ods", ".url", ".lnk", ".part", ".po", ".mo", ".scss", ".less", ".htaccess",
	}, ending)
}

// trades begin the words by which tables and records are called that a shop
// lives on, in the languages of the North and English.
func trades() []string {
	return []string{
		"order", "receipt", "sale", "invoice", "product", "item", "article", "stock", "inventory", "customer", "member", "payment", "transaction", "variant", "variation",
		"kvitto", "kvitton", "försälj", "forsalj", "faktur", "produkt", "artik", "vara", "varor", "lager", "kund", "medlem", "betal", "salg", "kunde", "vare", "tilaus", "tuote", "asiakas", "lasku",
	}
}

// passing are the words by which tables are called that come and go by
// themselves.
func passing() []string {
	return []string{
		"session", "sessions", "cache", "log", "logs", "temp", "tmp", "queue", "queues", "job", "jobs", "transient", "transients", "cart", "carts", "checkout", "checkouts",
		"basket", "token", "tokens", "lock", "locks", "draft", "scheduled", "actionscheduler", "history", "audit", "import", "export", "sync", "varukorg",
	}
}

// isTrade reports whether a table or kind of record holds what the shop lives
// on.
func isTrade(name string) bool {
	if isPassing(name) {
		return false
	}
	for _, word := range wordsOf(name) {
		for _, t := range trades() {
			if strings.HasPrefix(word, t) {
				return true
			}
		}
	}
	return false
}

func isPassing(name string) bool {
	for _, word := range wordsOf(name) {
		if slices.Contains(passing(), word) {
			return true
		}
	}
	return false
}

// wordsOf cuts a name into words: "wp_wc_orderStats" into wp, wc, order, stats.
func wordsOf(name string) []string {
	var b strings.Builder
	var last rune
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) })
}
