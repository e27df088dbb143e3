package kit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kvart/app"
	"kvart/assets"
)

// typeable is how long a secret may be to be worth printing for people: an SSH
// key of the newer kind is, a key file of Google's is not.
const typeable = 480

// sheet is what a kit says to people, in one language, before it is laid out.
type sheet struct {
	w        *assets.Words
	kit      app.Kit
	code     string
	settings map[string]string // of the storage, with what its preset adds
	title    string
	made     string
	rules    []string
	kind     string // in words
	fields   []field
	command  []string // words; none when stock Kopia can't
	files    []string // sentences on what the command needs first
	followUp [][]string
}

// field is one line for people.
type field struct {
	label string
	mark  string // "s3.bucket"; "" when it can't be typed back
	value string
	// grouped values are printed in groups of four.
	grouped bool
	tooLong bool
	minor   bool // not for paper, which is short of room
}

// newSheet collects what a kit says.
func newSheet(k app.Kit, language string, storages []app.KindSpec) (*sheet, error) {
	if err := needed(k); err != nil {
		return nil, err
	}
	w, err := assets.NewWords(language)
	if err != nil {
		return nil, fmt.Errorf("read translations: %w", err)
	}
	s := &sheet{w: w, kit: k, code: (*Press)(nil).Code(k), settings: completed(k.Storage, storages)}
	shop := shown(k.Shop)
	s.title = w.T("kit.title", assets.Args{"Number": k.Number, "Shop": shop})
	if shop == "" {
		s.title = w.T("kit.title.alone", assets.Args{"Number": k.Number})
	}
	s.made = w.T("kit.made", assets.Args{"Day": w.Day(k.Made), "Year": k.Made.Local().Year(), "Clock": w.Clock(k.Made)})
	s.kind = s.word("storage."+string(k.Storage.Kind), string(k.Storage.Kind))
	s.fields = s.storageFields()
	s.rules = s.readingRules()
	if s.command, err = Command(k, storages...); err != nil && app.CodeOf(err) != app.CodeUsage {
		return nil, err
	}
	if s.command != nil {
		s.followUp = [][]string{listCommand(), restoreCommand(w.T("kit.command.id"), w.T("kit.command.folder"))}
	}
	for _, what := range preparations(k, s.command) {
		s.files = append(s.files, w.T("kit.first."+what, assets.Args{
			"Credentials": CredentialsFile, "Key": PrivateKeyFile, "Hosts": KnownHostsFile,
		}))
	}
	return s, nil
}

// word returns a text, or what stands in where there is none.
func (s *sheet) word(key, otherwise string) string {
	if s.w.Has(key) {
		return s.w.T(key)
	}
	return otherwise
}

// fieldOrder is how an owner looks for a place: who, where, what, as whom. The
// rest follows in the alphabet's order.
func fieldOrder() []string {
	return []string{
		"preset", "host", "port", "user", "url", "endpoint", "region", "account", "container",
		"bucket", "prefix", "path", "remote", "access_key", "key_id", "host_key",
	}
}

// storageFields returns the lines about the storage, secrets last.
func (s *sheet) storageFields() []field {
	var out []field
	keys := slices.SortedFunc(maps.Keys(s.settings), func(a, b string) int {
		order := fieldOrder()
		rank := func(k string) int {
			if i := slices.Index(order, k); i >= 0 {
				return i
			}
			return len(order)
		}
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, key := range keys {
		v := s.settings[key]
		f := s.storageField(key, v, "", key == "access_key" || key == "key_id" || key == "host_key")
		// What does not help to find the vault is left to the block.
		f.minor = strings.HasPrefix(key, "lock_") || v == "false"
		out = append(out, f)
	}
	for _, key := range slices.Sorted(maps.Keys(s.kit.Storage.Secrets)) {
		if v := s.kit.Storage.Secrets[key].Reveal(); v != "" && key != app.PassphraseKey {
			out = append(out, s.storageField(key, v, "!", true))
		}
	}
	return out
}

func (s *sheet) storageField(key, value, secret string, grouped bool) field {
	kind := string(s.kit.Storage.Kind)
	f := field{
		label: s.word("storage."+kind+".field."+key, key), mark: kind + "." + key + secret,
		value: value, grouped: grouped, tooLong: utf8.RuneCountInString(value) > typeable,
	}
	if fieldMark.FindString("["+f.mark+"]:") != "["+f.mark+"]:" {
		f.mark = ""
	}
	return f
}

// readingRules say how what is printed is read, as far as this kit needs it.
func (s *sheet) readingRules() []string {
	printed := strings.Join(printExact(s.kit.Passphrase.Reveal()), "")
	for _, f := range s.fields {
		if !f.tooLong {
			printed += strings.Join(printExact(f.value), "")
		}
	}
	out := []string{s.w.T("kit.rule")}
	if strings.ContainsRune(printed, visibleSpace) {
		out = append(out, s.w.T("kit.rule.space", assets.Args{"Mark": string(visibleSpace)}))
	}
	if strings.ContainsRune(printed, visibleEnd) {
		out = append(out, s.w.T("kit.rule.end", assets.Args{"Mark": string(visibleEnd)}))
	}
	if escape.MatchString(printed) {
		out = append(out, s.w.T("kit.rule.number", assets.Args{"Mark": escape.FindString(printed)}))
	}
	return out
}

// rows lays a field's value out on lines of at most width characters.
func (f field) rows(width int) []string {
	if f.grouped {
		return groupRows(f.value, width)
	}
	return rows(printExact(f.value), "", width)
}

// reserved returns a line for people that is about no storage's field.
func (s *sheet) reserved(name, value string, grouped bool) field {
	return field{label: s.w.T("kit.line." + name), mark: name, value: value, grouped: grouped}
}

// fingerprintLine is what a typed passphrase is held against.
func (s *sheet) fingerprintLine() field {
	return s.reserved(lineFingerprint, fingerprint(s.kit.Passphrase.Reveal()), true)
}

// madeStamp is the time of making as a program reads it.
func (s *sheet) madeStamp() string {
	if s.kit.Made.IsZero() {
		return ""
	}
	return s.kit.Made.UTC().Format(time.RFC3339Nano)
}

// restoreSentence explains what stands in for what in the last command.
func (s *sheet) restoreSentence() string {
	return s.w.T("kit.command.restore", assets.Args{"ID": s.w.T("kit.command.id"), "Folder": s.w.T("kit.command.folder")})
}

// steps are what to do on the day, each a title and a text.
func (s *sheet) steps() [][2]string {
	var out [][2]string
	for _, n := range []string{"1", "2", "3"} {
		out = append(out, [2]string{s.w.T("kit.step." + n), s.w.T("kit.step." + n + ".text")})
	}
	return out
}

// phones are whose numbers to write down.
func (s *sheet) phones() []string {
	var out []string
	for _, who := range []string{"it", "storage", "insurer", "bank"} {
		out = append(out, s.w.T("kit.phone."+who))
	}
	return out
}
