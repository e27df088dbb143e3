package kit

import (
	"strings"
	"testing"
	"unicode/utf8"

	"kvart/app"
)

// checkTyped reads the lines for people alone: all they say has to come back to
// the byte.
func checkTyped(t *testing.T, text string, k app.Kit) {
	t.Helper()
	lines, _, ok := strings.Cut(text, "-----BEGIN")
	if !ok {
		t.Fatal("no block")
	}
	got, err := parse(lines)
	if err != nil {
		t.Fatal(err)
	}
	if got.Passphrase != k.Passphrase || got.Number != k.Number || !got.Made.Equal(k.Made) ||
		got.VaultID != k.VaultID || got.Shop != k.Shop || got.Storage.Kind != k.Storage.Kind {
		t.Errorf("got %#v, want %#v", got, k)
	}
	for key, v := range k.Storage.Settings {
		if typeableKey(key) && got.Storage.Settings[key] != v {
			t.Errorf("setting %s is %q, want %q", key, got.Storage.Settings[key], v)
		}
	}
	for key, v := range k.Storage.Secrets {
		if len(v.Reveal()) <= typeable && got.Storage.Secrets[key] != v {
			t.Errorf("secret %s is %q, want %q", key, got.Storage.Secrets[key].Reveal(), v.Reveal())
		}
	}
}

// typeableKey reports whether a setting's name can be a line's.
func typeableKey(key string) bool { return fieldMark.MatchString("[x." + key + "]:") }

func TestPress_Parse_typedByHand(t *testing.T) {
	t.Parallel()
	const lines = `
[s3.endpoint]: s3.example.com
Hink [s3.bucket]:
   blomman
nyckel [s3.access_key]: ABCD 1234
[s3.secret_key!]: abcd efgh
	ijkl
`
	print := func(p string) string { return "[fingerprint]: " + fingerprint(p) + "\n" }
	for name, tt := range map[string]struct{ text, want string }{
		"as printed":             {"[passphrase]: korg ␣lam pa\n" + print("korg lampa"), "korg lampa"},
		"with its own spaces":    {"[passphrase]: korg lampa\n" + print("korg lampa"), "korg lampa"},
		"with gaps":              {"[passphrase]: korg -lam pa\n" + print("korg-lampa"), "korg-lampa"},
		"without gaps":           {"[passphrase]: korg-lampa\n" + print("korg-lampa"), "korg-lampa"},
		"with smart punctuation": {"[passphrase]: korg –lam ’pa“\n" + print(`korg-lam'pa"`), `korg-lam'pa"`},
		"by number":              {"[passphrase]: ko <u+0416> x\n" + print("koЖx"), "koЖx"},
		"fingerprint in capitals": {
			"[passphrase]: korg-lampa\n" + "[fingerprint]: " + strings.ToUpper(fingerprint("korg-lampa")) + "\n", "korg-lampa",
		},
		"quoted":              {"> [passphrase]:\n>     >kor g\n>     >x\n>\n> " + print(">korg>x"), ">korg>x"},
		"mistyped":            {"[passphrase]: korg-lampe\n" + print("korg-lampa"), ""},
		"without fingerprint": {"[passphrase]: korg-lampa\n", ""},
		"without passphrase":  {print("korg-lampa"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := parse(lines + "\n" + tt.text)
			if tt.want == "" {
				if app.CodeOf(err) != app.CodeKitUnreadable {
					t.Errorf("error %v", err)
				}
				noSecretsIn(t, err.Error(), app.Kit{Passphrase: app.NewSecret("korg-lampa")})
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if k.Passphrase.Reveal() != tt.want {
				t.Errorf("passphrase %q", k.Passphrase.Reveal())
			}
			if s := k.Storage; s.Kind != "s3" || s.Settings["bucket"] != "blomman" || s.Settings["access_key"] != "ABCD1234" || s.Secrets["secret_key"].Reveal() != "abcdefghijkl" {
				t.Errorf("storage %v", s)
			}
		})
	}
	if _, err := parse(lines + "[b2.bucket]: x\n[passphrase]: p\n" + print("p")); app.CodeOf(err) != app.CodeKitUnreadable {
		t.Errorf("two storages: %v", err)
	}
}

// TestPress_Parse_damagedBlockButLines takes the lines for people where the
// block is cut off, and the block where they are changed.
func TestPress_Parse_damagedBlockButLines(t *testing.T) {
	t.Parallel()
	text, err := New().Text(sample(), "sv")
	if err != nil {
		t.Fatal(err)
	}
	s := text.Reveal()
	k, err := parse(s[:strings.Index(s, "R09:")])
	if err != nil {
		t.Fatal(err)
	}
	if k.Passphrase != sample().Passphrase || k.Blobs != nil || k.Storage.Secrets["secret_key"] != sample().Storage.Secrets["secret_key"] {
		t.Errorf("got %#v", k)
	}
	k, err = parse(strings.Replace(s, "blommans-livs-kvart", "somewhere-else", 1))
	if err != nil {
		t.Fatal(err)
	}
	sameKit(t, k, sample())
}

func TestGroups(t *testing.T) {
	t.Parallel()
	for _, tt := range [][2]string{
		{"abcdefghij", "abcd efgh ij"},
		{"ab cd", "ab␣c d"},
		{"åäö€§", "åäö€ §"},
		{"abЖcd", "ab <U+0416> cd"},
		{"a\nb", "a↵b"},
		{"–’", "<U+2013> <U+2019>"},
		{"<U+0041>", "<U+003C> U+00 41>"},
		{"\xff", "<X+FF>"},
		{"a␣", "a <U+2423>"},
		{"e\u0301", "e <U+0301>"},
	} {
		if got := strings.Join(groups(tt[0]), " "); got != tt[1] {
			t.Errorf("%q is printed %q, want %q", tt[0], got, tt[1])
		}
		if back := readExact(tt[1]); back != tt[0] {
			t.Errorf("%q is read %q, want %q", tt[1], back, tt[0])
		}
	}
}

func TestGroupRows(t *testing.T) {
	t.Parallel()
	v := keyOf(1, 100)
	for width := 4; width < 90; width += 5 {
		rows := groupRows(v, width)
		for _, r := range rows {
			if utf8.RuneCountInString(r) > width {
				t.Errorf("width %d: %q", width, r)
			}
		}
		if readExact(strings.Join(rows, "\n")) != v {
			t.Errorf("width %d: it reads differently", width)
		}
	}
}

// FuzzExact prints any value in any width and reads it back to the byte.
func FuzzExact(f *testing.F) {
	for _, k := range samples() {
		f.Add(k.Passphrase.Reveal(), 30)
		f.Add(k.Storage.Settings["bucket"], 4)
	}
	f.Add("[kind]: <x+ <U <U+ <U+41>␣", 11)
	f.Fuzz(func(t *testing.T, v string, width int) {
		if width < 1 || width > 200 {
			width = 40
		}
		for _, rows := range [][]string{groupRows(v, width), rows(printExact(v), "", width)} {
			if got := readExact(strings.Join(rows, "\n    ")); got != v {
				t.Errorf("%q comes back as %q", v, got)
			}
			for _, r := range rows {
				if fieldMark.MatchString(r) {
					t.Errorf("%q looks like a line's name", r)
				}
			}
		}
	})
}
