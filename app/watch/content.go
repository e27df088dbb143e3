package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
)

// sample is how much of a file is looked at.
const sample = 4096

// randomBits is the entropy, in bits a byte, from which a sample of this length
// can't be told from noise; a compressed file reaches it too.
const randomBits = 7.6

// signatures are how files of a type begin, and at which byte.
func signatures(ending string) (at int, any []string) {
	switch ending {
	case ".jpg", ".jpeg", ".jpe":
		return 0, []string{"\xff\xd8\xff"}
	case ".png":
		return 0, []string{"\x89PNG"}
	case ".gif":
		return 0, []string{"GIF8"}
	case ".bmp":
		return 0, []string{"BM"}
	case ".tif", ".tiff":
		return 0, []string{"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"}
	case ".webp":
		return 0, []string{"RIFF"}
	case ".zip", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".jar", ".epub":
		return 0, []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08"}
	case ".doc", ".xls", ".ppt", ".msi", ".msg":
		return 0, []string{"\xd0\xcf\x11\xe0", "PK\x03\x04", "{\\rtf", "<"}
	case ".mp4", ".m4a", ".m4v", ".heic", ".heif":
		return 4, []string{"ftyp", "moov", "mdat", "wide", "free"}
	case ".7z":
		return 0, []string{"7z\xbc\xaf"}
	case ".rar":
		return 0, []string{"Rar!"}
	case ".gz", ".tgz":
		return 0, []string{"\x1f\x8b"}
	case ".psd":
		return 0, []string{"8BPS"}
	case ".db", ".sqlite", ".sqlite3":
		return 0, nil // many formats go by these
	}
	return 0, nil
}

// texts are endings of files that people or programs can read.
func isText(ending string) bool {
	return slices.Contains([]string{
		".txt", ".csv", ".tsv", ".html", ".htm", ".css", ".js", ".json", ".xml", ".svg", ".md", ".php", ".ini", ".conf", ".log", ".sql", ".yml", ".yaml", ".eml", ".ics", ".vcf",
	}, ending)
}

// contentOf says whether what a file begins with is what its type says.
func contentOf(ending string, head []byte) uint8 {
	if len(head) < 32 {
		return 0 // too little to tell anything by
	}
	at, begins := signatures(ending)
	random := len(head) >= 1024 && entropy(head) > randomBits
	switch {
	case len(begins) > 0:
		for _, b := range begins {
			if bytes.HasPrefix(head[at:], []byte(b)) {
				return flagGood
			}
		}
		return flagBad
	case ending == ".pdf":
		if bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF")) {
			return flagGood
		}
		return flagBad
	case isText(ending):
		if random {
			return flagBad
		}
		return flagGood
	case random:
		return flagBad // counts only for a file that was plain before
	}
	return flagPlain
}

// known reports whether a type says how its files begin.
func known(ending string) bool {
	_, begins := signatures(ending)
	return len(begins) > 0 || ending == ".pdf" || isText(ending)
}

func entropy(b []byte) (bits float64) {
	var n [256]int
	for _, c := range b {
		n[c]++
	}
	for _, k := range n {
		if k > 0 {
			p := float64(k) / float64(len(b))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// money returns which fields of a kind of record are watched: those whose name
// contains one of the words. It is nil for kinds without.
func money(kind string) (words []string) {
	k := strings.ToLower(kind)
	switch {
	case strings.Contains(k, "payment"):
		return []string{"account", "iban", "bic", "swift", "bank", "merchant", "payee", "receiver", "recipient", "email"}
	case strings.Contains(k, "product") || strings.Contains(k, "varia"):
		return []string{"price"}
	}
	return nil
}

func isPayment(kind string) bool { return strings.Contains(strings.ToLower(kind), "payment") }

// moneyOf returns a mark of the watched fields of a record, 0 when it has none.
func moneyOf(kind string, record []byte) uint32 {
	words := money(kind)
	var doc any
	if words == nil || json.Unmarshal(record, &doc) != nil {
		return 0
	}
	h := fnv.New32a()
	if !mark(doc, words, false, func(s string) { h.Write([]byte(s)) }) {
		return 0
	}
	return h.Sum32() | 1
}

// mark hands on the values of watched fields, in the order of their names.
func mark(doc any, words []string, within bool, add func(string)) (found bool) {
	switch v := doc.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for n := range v {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			low := strings.ToLower(n)
			if strings.HasSuffix(low, "_html") {
				continue // the same once more, as the shop shows it just now
			}
			in := within || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(low, w) })
			found = mark(v[n], words, in, add) || found
		}
	case []any:
		for _, e := range v {
			found = mark(e, words, within, add) || found
		}
	case nil:
	default:
		if within {
			add(fmt.Sprint(v) + "\x00")
			return true
		}
	}
	return found
}
