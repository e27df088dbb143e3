package kit

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"kvart/app"
)

// blockText is a sample's block as a text holds it.
func blockText(t testing.TB, k app.Kit) string {
	t.Helper()
	b, err := newBlock(k)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(b.lines(), "\n") + "\n"
}

func parse(s string) (app.Kit, error) { return New().Parse(app.NewSecret(s)) }

// forgiven returns texts that all hold the sample.
func forgiven(t *testing.T) map[string]string {
	t.Helper()
	text, err := New().Text(sample(), "sv")
	if err != nil {
		t.Fatal(err)
	}
	all := text.Reveal()
	block := blockText(t, sample())
	lines := strings.Split(strings.TrimSpace(block), "\n")
	shuffled := append([]string{}, lines[1:len(lines)-1]...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	older := sample()
	older.Number, older.Passphrase = 2, app.NewSecret("older")
	every := func(prefix string) string {
		return prefix + strings.ReplaceAll(strings.TrimSpace(block), "\n", "\n"+prefix)
	}
	return map[string]string{
		"the whole text":          all,
		"the block alone":         block,
		"a byte order mark":       "\ufeff" + all,
		"Windows line ends":       strings.ReplaceAll(all, "\n", "\r\n"),
		"old Mac line ends":       strings.ReplaceAll(all, "\n", "\r"),
		"no line ends":            strings.ReplaceAll(block, "\n", " "),
		"no gaps at all":          strings.NewReplacer("\n", "", " ", "").Replace(block),
		"indented":                every("\t    "),
		"quoted":                  every("> > "),
		"quoted with bars":        every("| "),
		"small letters":           strings.ToLower(block),
		"smart dashes":            strings.ReplaceAll(block, "--", "—"),
		"no dashes":               strings.ReplaceAll(block, "-", ""),
		"typed O for 0":           typedLetters(block, "0", "o"),
		"typed l for 1":           typedLetters(block, "1", "l"),
		"typed I for 1":           typedLetters(block, "1", "I"),
		"text around":             "Hej Anna, här är kitet:\n\n" + block + "\nHälsningar, Bo 070-123 45 67 https://example.com/BEGIN\n",
		"wrapped anew":            wrapAt(block, 31),
		"wrapped and quoted":      strings.ReplaceAll(wrapAt(block, 40), "\n", "\n> "),
		"lines in any order":      lines[0] + "\n" + strings.Join(shuffled, "\n") + "\n" + lines[len(lines)-1],
		"twice":                   block + block,
		"twice, half damaged":     strings.Replace(block, "R03: ", "R03: A", 1) + block,
		"numbered lines":          numbered(block),
		"zero-width spaces":       strings.ReplaceAll(block, " ", "\u200b \u00ad"),
		"non-breaking spaces":     strings.ReplaceAll(block, " ", "\u00a0"),
		"bold marks":              strings.ReplaceAll(block, "R0", "**R0**"),
		"no end":                  strings.Join(lines[:len(lines)-1], "\n"),
		"a page number in it":     strings.Replace(block, "R05:", "sida 2\nR05:", 1),
		"an older one with it":    blockText(t, older) + block,
		"an older one after it":   block + blockText(t, older),
		"an older one around":     "> " + strings.ReplaceAll(blockText(t, older), "\n", "\n> ") + "\n" + all,
		"words in other scripts":  "Пример\n" + block + "花店",
		"a half one before it":    strings.Join(lines[:5], "\n") + "\n" + block,
		"codes and lines":         scanned(t, sample(), 2)[1] + block,
		"two scanned codes":       strings.Join(scanned(t, sample(), 2), "\n"),
		"scanned in wrong order":  scanned(t, sample(), 3)[2] + scanned(t, sample(), 3)[0] + scanned(t, sample(), 3)[1],
		"scanned twice":           strings.Join(scanned(t, sample(), 2), " ") + strings.Join(scanned(t, sample(), 2), "\t"),
		"scanned, small, wrapped": wrapAt(strings.ToLower(strings.Join(scanned(t, sample(), 2), " ")), 60),
	}
}

func TestPress_Parse_forgives(t *testing.T) {
	t.Parallel()
	for name, s := range forgiven(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(s)
			if err != nil {
				t.Fatal(err)
			}
			sameKit(t, got, sample())
		})
	}
}

func scanned(t *testing.T, k app.Kit, parts int) []string {
	t.Helper()
	b, err := newBlock(k)
	if err != nil {
		t.Fatal(err)
	}
	return b.parts(parts)
}

// typedLetters replaces letters of the lines' content, not of their numbers.
func typedLetters(block, old, typed string) string {
	return regexp.MustCompile(`: .*`).ReplaceAllStringFunc(block, func(s string) string { return strings.ReplaceAll(s, old, typed) })
}

func wrapAt(s string, n int) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		out = append(out, split(line, n)...)
	}
	return strings.Join(out, "\n")
}

func numbered(s string) string {
	var b strings.Builder
	n := 0
	for line := range strings.SplitSeq(s, "\n") {
		n++
		fmt.Fprintf(&b, "%d  %s\n", n, line)
	}
	return b.String()
}

func TestPress_Parse_damaged(t *testing.T) {
	t.Parallel()
	block := blockText(t, sample())
	lines := strings.Split(strings.TrimSpace(block), "\n")
	without := func(i int) string {
		return strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "\n")
	}
	other := sample()
	other.VaultID = "another"
	parts := scanned(t, sample(), 3)
	for name, tt := range map[string]struct{ text, line, part string }{
		"nothing":               {},
		"no kit":                {text: "Hej! Jag hittar inte papperet.\n"},
		"only the end":          {text: lines[len(lines)-1]},
		"only the beginning":    {text: lines[0], line: "1"},
		"a letter changed":      {text: strings.Replace(block, lines[7][10:12], swapped(lines[7][10:12]), 1), line: "7"},
		"a letter missing":      {text: strings.Replace(block, lines[3], lines[3][:20]+lines[3][21:], 1), line: "3"},
		"a line missing":        {text: without(9), line: "9"},
		"the last line missing": {text: without(len(lines) - 2), line: strconv.Itoa(len(lines) - 2)},
		"cut off":               {text: block[:strings.Index(block, "R12")], line: "12"},
		"lines swapped":         {text: strings.NewReplacer("R04", "R05", "R05", "R04").Replace(block), line: "4"},
		"another's first line":  {text: strings.Replace(block, lines[0], strings.Split(blockText(t, other), "\n")[0], 1), line: "1"},
		"no first line":         {text: without(0)},
		"a damaged first line":  {text: strings.Replace(block, "1/", "1-", 1)},
		"a huge count":          {text: regexp.MustCompile(`/\d+/-----`).ReplaceAllString(block, "/999999/-----")},
		"of two vaults":         {text: block + blockText(t, other)},
		"a part missing":        {text: parts[0] + parts[2], part: "2"},
		"a part damaged":        {text: parts[0] + parts[1][:200] + "A" + parts[1][200:] + parts[2], part: "2"},
		"too large":             {text: strings.Repeat("x", maxText+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(tt.text)
			if app.CodeOf(err) != app.CodeKitUnreadable {
				t.Fatalf("error %v", err)
			}
			if args := argsOf(err); args["line"] != tt.line || args["part"] != tt.part {
				t.Errorf("args %v, want line %q, part %q", args, tt.line, tt.part)
			}
			noSecretsIn(t, err.Error(), sample())
		})
	}
}

func argsOf(err error) map[string]string {
	var e *app.Error
	if errors.As(err, &e) {
		return e.Args
	}
	return nil
}

func noSecretsIn(t *testing.T, text string, k app.Kit) {
	t.Helper()
	secrets := []app.Secret{k.Passphrase}
	for _, s := range k.Storage.Secrets {
		secrets = append(secrets, s)
	}
	for _, s := range secrets {
		if strings.Contains(text, s.Reveal()) {
			t.Errorf("a secret is in %q", text)
		}
	}
}

// swapped returns other letters of the alphabet.
func swapped(s string) string {
	out := []byte(s)
	for i, b := range out {
		out[i] = crockford[(strings.IndexByte(crockford, b)+7)%32]
	}
	return string(out)
}

// TestPress_Parse_everyByte damages each character of a block in turn: it may
// be refused or not matter, and must never make another kit.
func TestPress_Parse_everyByte(t *testing.T) {
	t.Parallel()
	block := blockText(t, sample())
	want := encode(sample())
	matters := 0
	for i := 0; i < len(block); i += 3 {
		for _, c := range []byte{'7', 'z', '\n'} {
			s := block[:i] + string(c) + block[i+1:]
			k, err := parse(s)
			if err == nil && !bytes.Equal(encode(k), want) {
				t.Fatalf("character %d as %q makes another kit", i, c)
			}
			if err != nil {
				matters++
			}
		}
	}
	if matters < len(block)/3 {
		t.Errorf("only %d changes were refused", matters)
	}
}

func TestPress_Parse_newer(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		strings.Replace(blockText(t, sample()), "KVART-KIT 1/", "KVART-KIT 2/", 1),
		"-----BEGIN KVART-KIT 17/ABCDEFGH/1/-----\nR01: {}\n-----END KVART-KIT-----",
		"-----BEGIN KVART-KIT 2-----\nsomething else\n-----END KVART-KIT-----",
	} {
		if _, err := parse(s); app.CodeOf(err) != app.CodeGuardVersion {
			t.Errorf("error %v", err)
		}
	}
}

// blockOf wraps any packed bytes as a well-formed block.
func blockOf(packed []byte, seal string) string {
	b := block{seal: seal, letters: letters.EncodeToString(packed)}
	return strings.Join(b.lines(), "\n")
}

// Not parallel: it measures memory.
func TestPress_Parse_bomb(t *testing.T) {
	var packed bytes.Buffer
	w, err := flate.NewWriterDict(&packed, flate.BestCompression, []byte(dictionary))
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, 8<<20)
	if _, err := w.Write(payload); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() > maxPayload*2 {
		t.Fatalf("the bomb has %d bytes", packed.Len())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := unpack(packed.Bytes()); err == nil {
		t.Error("a bomb was unpacked")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
	if _, err := parse(blockOf(packed.Bytes(), sealOf(payload))); app.CodeOf(err) != app.CodeKitUnreadable {
		t.Errorf("error %v", err)
	}
}

func TestDecode_malformed(t *testing.T) {
	t.Parallel()
	good := encode(sample())
	for i := range len(good) {
		if k, err := decode(good[:i]); err == nil && bytes.Equal(encode(k), good) {
			t.Errorf("cut to %d bytes is the same kit", i)
		}
	}
	if _, err := decode(append(good, good...)); err == nil {
		t.Error("entries may come twice")
	}
	k, err := decode(append(append([]byte{}, good...), "\x06future\x03abc"...))
	if err != nil {
		t.Errorf("an entry of the future: %v", err)
	}
	sameKit(t, k, sample())
}

func FuzzParse(f *testing.F) {
	text, err := New().Text(sample(), "en")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text.Reveal())
	f.Add(blockText(f, sample()))
	f.Add("BEGIN KVART-KIT 1/ABCDEFGH/1/ P1:00/00 END KVART-KIT")
	f.Add("[s3.bucket]: x\n[passphrase]: abc\n[fingerprint]: ba78 15ad")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := parse(s)
		if err != nil {
			if c := app.CodeOf(err); c != app.CodeKitUnreadable && c != app.CodeGuardVersion {
				t.Errorf("error %v", err)
			}
			return
		}
		if k.Passphrase.IsZero() || k.Storage.Kind == "" {
			t.Error("a kit that opens nothing")
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(sample()))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(encode(k))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encode(again), encode(k)) {
			t.Error("it does not come back the same")
		}
	})
}
