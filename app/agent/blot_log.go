package agent

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A line of the log is a JSON document. Some of its values are words of Kvart's
// own; some name somebody or something of the shop's, also what is not there any
// more; the rest is text, in which whatever looks like a name, a place or a
// number of somebody's is taken out.

// ownWord reports whether the values of a key are words of Kvart's own.
func ownWord(key string) bool {
	return slices.Contains([]string{"level", "code", "kind", "state", "job", "step", "mode", "connector", "proof", "verdict", "rule", "lockState"}, key)
}

// nameLabel returns what stands in the place of a key's values, where they name
// something of the shop's; "" for other keys.
func nameLabel(key string) string {
	switch key {
	case "source", "sources":
		return "[source]"
	case "copy":
		return "[copy]"
	case "channel":
		return "[channel]"
	case "computer", "hostname":
		return "[computer]"
	case "user", "login", "definer":
		return "[user]"
	case "path", "file", "dir", "folder", "out", "aside", "target", "socket":
		return "[path]"
	case "where", "host", "addr", "address", "url", "endpoint", "server", "elsewhere":
		return "[place]"
	case "to", "from", "mail", "phone", "name", "shop", "contact", "by", "word", "table", "database", "bucket", "remote", "item", "record", "topic", "field", "filename":
		return "[name]"
	case "fingerprint", "host_key", "key", "statement", "token":
		return "[key]"
	}
	return ""
}

// namesIn returns what the log names, by what stands in its place: most of all
// what was removed from the settings since.
func namesIn(lines []string) map[string]string {
	out := map[string]string{}
	for _, line := range lines {
		eachText(json.NewDecoder(strings.NewReader(line)), nil, func(key, v string) string {
			if label := nameLabel(key); label != "" && v != "" && !isNumber(v) {
				out[v] = label
			}
			return v
		})
	}
	return out
}

// line returns a line of the log without what is the owner's own.
func (b *blot) line(line string) string {
	var out bytes.Buffer
	if !eachText(json.NewDecoder(strings.NewReader(line)), &out, b.field) {
		return b.text(line) // cut short, or a crash's
	}
	return out.String()
}

// eachText hands each text of a document to f, with the key that it, or the list
// it is in, stands under, and writes the document with what f returns. It
// reports whether the document was whole, and all there is.
func eachText(d *json.Decoder, out *bytes.Buffer, f func(key, v string) string) bool {
	if out == nil {
		out = &bytes.Buffer{}
	}
	d.UseNumber()
	return eachValue(d, out, "", f) == nil && !d.More()
}

func eachValue(d *json.Decoder, out *bytes.Buffer, key string, f func(key, v string) string) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		return eachOf(d, out, t, key, f)
	case string:
		return put(out, f(key, t))
	}
	return put(out, t)
}

// eachOf goes through what is in an object or a list.
func eachOf(d *json.Decoder, out *bytes.Buffer, open json.Delim, key string, f func(key, v string) string) error {
	out.WriteRune(rune(open))
	for first := true; d.More(); first = false {
		if !first {
			out.WriteByte(',')
		}
		if open == '{' {
			t, err := d.Token()
			if err != nil {
				return err
			}
			key, _ = t.(string) // keys are
			if err := put(out, key); err != nil {
				return err
			}
			out.WriteByte(':')
		}
		if err := eachValue(d, out, key, f); err != nil {
			return err
		}
	}
	end, err := d.Token()
	if err != nil {
		return err
	}
	if d, ok := end.(json.Delim); ok {
		out.WriteRune(rune(d))
	}
	return nil
}

func put(out *bytes.Buffer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	out.Truncate(out.Len() - 1) // the line end
	return err
}

// field returns the value of a key without what is the owner's own.
func (b *blot) field(key, v string) string {
	label := nameLabel(key)
	switch {
	case ownWord(key), v == "", isNumber(v):
		return v
	case label == "":
		return b.text(v)
	}
	if known := b.known.Replace(v); isLabel(known) {
		return known
	}
	return label
}

func isNumber(v string) bool {
	_, err := strconv.ParseFloat(v, 64)
	return err == nil && len(v) < 7 // longer ones may be telephone numbers
}

// isLabel reports whether a text is one thing that was taken out.
func isLabel(v string) bool {
	return strings.HasPrefix(v, "[") && strings.Index(v, "]") == len(v)-1
}

// What names and places look like in texts that nobody knows beforehand.
var (
	inQuotes = regexp.MustCompile("\"[^\"]*\"|“[^”]*”|«[^»]*»|`[^`]*`|(?:^|[\\s(=@])'[^']*'")
	// to the next colon: what is behind it says what was wrong with the file
	pathLike  = regexp.MustCompile(`(^|[\s"'(=,\[])(?:[A-Za-z]:[\\/]|\\\\|~?/)[^\s:"'][^:"\n]*(?::\\[^:"\n]*)?`)
	slashed   = regexp.MustCompile(`[^\s"'(),;:=]*[^\s"'(),;:=\]][\\/][^\s"'(),;:=]+`)
	lookedUp  = regexp.MustCompile(`\blookup \S+`)
	dotted    = regexp.MustCompile(`(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*[\p{L}\p{N}_])?\.)+\p{L}[\p{L}\p{N}-]*`)
	withPort  = regexp.MustCompile(`\b\p{L}[\p{L}\p{N}-]*:(\d{2,5})\b`)
	ip6Like   = regexp.MustCompile(`[0-9A-Fa-f]*(?::[0-9A-Fa-f]*){2,}(?:\.\d{1,3})*(?:%[\w.-]+)?`)
	hardware  = regexp.MustCompile(`\b(?:[0-9A-Fa-f]{2}[:-]){5,}[0-9A-Fa-f]{2}\b`)
	ownFile   = regexp.MustCompile(`^(?:kopia\.\w+|settings\.json|journal\.db|secrets\.(?:json|key)|kvart\.log|crash\.log|guard\.(?:lock|sock)|kvart-agent\.\w+)$`)
	ownSlash  = regexp.MustCompile(`^(?:(?:linux|windows|darwin)/\w+|(?:text|application|image)/[\w.+-]+|HTTP/[\d.]+|TCP/IP|I/O|i/o|and/or|go\d[\d.]*/\w+)$`)
	ownDotted = regexp.MustCompile(`^(?:[a-z]+\.(?:Is|As|Join|Err\w+|Error)|context\.\w+|io\.EOF|e\.g|i\.e)$`)
)

// text returns a text without what looks like a name, a place or a number of
// somebody's.
func (b *blot) text(v string) string {
	for _, p := range b.before {
		v = p.like.ReplaceAllString(v, p.with)
	}
	v = b.known.Replace(v)
	v = inQuotes.ReplaceAllStringFunc(v, func(q string) string {
		// the quotes stay, and what stands before them
		at := strings.IndexAny(q, "\"“«`'")
		r := []rune(q[at:])
		if inner := string(r[1 : len(r)-1]); inner == "" || isLabel(inner) {
			return q
		}
		return q[:at] + string(r[0]) + "[name]" + string(r[len(r)-1])
	})
	v = hardware.ReplaceAllString(v, "[hardware]")
	v = pathLike.ReplaceAllString(v, "$1[path]")
	v = slashed.ReplaceAllStringFunc(v, func(s string) string { return unless(ownSlash, s, "[path]") })
	v = lookedUp.ReplaceAllString(v, "lookup [host]")
	v = dotted.ReplaceAllStringFunc(v, func(s string) string {
		if ownFile.MatchString(s) {
			return s
		}
		return unless(ownDotted, s, "[host]")
	})
	v = withPort.ReplaceAllString(v, "[host]:$1")
	v = ip6Like.ReplaceAllStringFunc(v, hideIP6)
	for _, p := range b.after {
		v = p.like.ReplaceAllString(v, p.with)
	}
	return v
}

func unless(own *regexp.Regexp, s, with string) string {
	if own.MatchString(s) || isLabel(s) {
		return s
	}
	return with
}

// hideIP6 hides an address of that kind, also with a port behind it that makes it
// none; a time of day has colons too.
func hideIP6(s string) string {
	bare := strings.TrimRight(s, ".")
	if !strings.HasSuffix(bare, "::") {
		bare = strings.TrimSuffix(bare, ":")
	}
	a, err := netip.ParseAddr(bare)
	if err == nil && a.Is6() || len(bare) > 2 && (strings.Contains(bare, "::") || strings.Count(bare, ":") > 4) {
		return "[ip]" + s[len(bare):]
	}
	return s
}
