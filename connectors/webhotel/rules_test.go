package webhotel

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
)

// The page comes down to the byte also when an editor on Windows has been over
// the rules meanwhile, or when it was put up twice.
func TestUnsigned_edited(t *testing.T) {
	t.Parallel()
	lines := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") }
	for name, text := range ruleTexts {
		part := string(sign([]byte(text), app.PageName))
		now := string(signed([]byte(text), []byte(part)))
		rest := strings.TrimPrefix(text, string(bom))
		for edit, tt := range map[string][2]string{
			"ends of line of Windows":          {lines(now), lines(text)},
			"no end of the last line":          {part[:len(part)-1], ""},
			"no end of the last line, Windows": {strings.TrimSuffix(lines(part), "\r\n"), ""},
			"put behind":                       {"Options -Indexes\n" + part + rest, "Options -Indexes\n" + rest},
			"put behind, no end":               {"Options -Indexes\n" + part[:len(part)-1], "Options -Indexes\n"},
			"twice":                            {string(signed([]byte(now), []byte(part))), text},
			"its own lines alone":              {strings.TrimSuffix(now, rest) + signBegin + signEnd + rest, text},
		} {
			plain, taken := unsigned([]byte(tt[0]))
			if string(plain) != tt[1] || len(taken) == 0 {
				t.Errorf("%s, %s: %q of %q", name, edit, plain, tt[0])
			}
			again := signed(plain, taken)
			if plain, _ := unsigned(again); string(plain) != tt[1] || strings.Contains(strings.TrimPrefix(string(again), string(bom)), string(bom)) {
				t.Errorf("%s, %s, put up again: %q", name, edit, again)
			}
		}
	}
}

// Rules that an editor on Windows has written anew while the page is up are
// freed of it all the same, and nothing else of them is touched.
func TestConnector_Withdraw_edited(t *testing.T) {
	t.Parallel()
	rules := ruleTexts["as WordPress writes them"]
	sites(t, rules, func(p *published) {
		p.publish()
		windows := strings.ReplaceAll(p.read(rulesFile), "\n", "\r\n")
		put1(p.T, filepath.Join(p.site, rulesFile), windows, past)
		p.withdraw()
		if got, want := p.read(rulesFile), strings.ReplaceAll(rules, "\n", "\r\n"); got != want {
			p.Errorf("afterwards %q, want %q", got, want)
		}
	})
}

// Rules that begin with a mark come back under the page as servers take them:
// with the mark first.
func TestConnector_Publish_restoredMark(t *testing.T) {
	t.Parallel()
	rules := ruleTexts["from Windows"]
	sites(t, rules, func(p *published) {
		before, stats, _ := point(p.T, p.c, p.a)
		p.publish()
		put1(p.T, filepath.Join(p.site, rulesFile), p.read(rulesFile)+"RewriteRule ^ https://evil.example/ [R]\n", time.Now())
		restore(p.T, p.c, app.Restore{Access: p.a, From: os.DirFS(before), Stats: stats})
		p.up(rules)
		if got := p.read(rulesFile); !strings.HasPrefix(got, string(bom)+signBegin) || strings.Count(got, string(bom)) != 1 {
			p.Errorf("rules: %q", got)
		}
		p.withdraw()
		p.down()
	})
}

// Where the page was taken away by hand, and not what shows it, a point holds the
// site's own rules, whole.
func TestConnector_Publish_pageGone(t *testing.T) {
	t.Parallel()
	rules := ruleTexts["as WordPress writes them"]
	sites(t, rules, func(p *published) {
		p.publish()
		if err := os.Remove(filepath.Join(p.site, app.PageName)); err != nil {
			p.Fatal(err)
		}
		dir, _, _ := point(p.T, p.c, p.a)
		if b, err := os.ReadFile(filepath.Join(dir, "files", rulesFile)); err != nil || string(b) != rules {
			p.Errorf("in the point: %q, %v", b, err)
		}
		p.withdraw()
		p.down()
	})
}

// Rules of any length are backed up and come back. Those longer than anybody
// writes are not signed, which is said.
func TestConnector_Publish_longRules(t *testing.T) {
	t.Parallel()
	rules := ruleTexts["as WordPress writes them"]
	var ran atomic.Int32
	t.Cleanup(func() {
		if ran.Load() != 2 {
			t.Errorf("ran %d times", ran.Load())
		}
	})
	sites(t, rules, func(p *published) {
		size, ok := map[string]int{"SFTP": mostSigned + 1, "FTPS,_one_connection": mostRules + 1}[filepath.Base(p.Name())]
		if !ok {
			return // as with one connection, which is the hardest of them
		}
		ran.Add(1)
		long := strings.Repeat("Deny from 192.0.2.1\n", mostRules/20+1)
		put1(p.T, filepath.Join(p.site, rulesFile), long[:size], past)
		before := p.see(p.T, p.site)
		dir, stats, _ := point(p.T, p.c, p.a)
		wantCode(p.T, p.c.Publish(p.Context(), p.a, app.PageName, []byte(backSoon)), app.CodePageBeside)
		if got := p.read(app.PageName); got != backSoon {
			p.Errorf("page: %q", got)
		}
		// They come back over short ones that show the page, and short ones over them.
		put1(p.T, filepath.Join(p.site, rulesFile), string(signed([]byte(rules), sign([]byte(rules), app.PageName))), past)
		short, shortStats, _ := point(p.T, p.c, p.a)
		restore(p.T, p.c, app.Restore{Access: p.a, From: os.DirFS(dir), Stats: stats})
		if got := p.read(rulesFile); got != long[:size] {
			p.Errorf("%d bytes: restored %d bytes that begin with %.60q", size, len(got), got)
		}
		p.withdraw()
		if got := p.see(p.T, p.site); got != before {
			p.Errorf("%d bytes, afterwards:\n%s\nbefore:\n%s", size, got, before)
		}
		restore(p.T, p.c, app.Restore{Access: p.a, From: os.DirFS(short), Stats: shortStats})
		p.down()
	})
}

// What a server says it took, and did not take whole, is not put in place.
func TestConnector_Publish_cutShort(t *testing.T) {
	t.Parallel()
	for name, habits := range map[string]func(*ftpPeer){
		"told by its size": func(*ftpPeer) {}, "told by reading": func(s *ftpPeer) { s.noSize = true },
	} {
		for what, keeps := range map[string]int64{"page": int64(len(backSoon)) - 1, "rules": int64(len(backSoon))} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				site := filepath.Join(dir, "site")
				shopSite(t, site, false)
				s, a := serveFTP(t, dir, habits)
				c := quick(t, &fakeDB{})
				before := content(t, site)
				s.keeps.Store(keeps)
				err := c.Publish(t.Context(), a, app.PageName, []byte(backSoon))
				wantCode(t, err, app.CodeTargetFull)
				b, err := os.ReadFile(filepath.Join(site, rulesFile))
				if err != nil || string(b) != "Deny from nobody\n" {
					t.Errorf("rules: %q, %v", b, err)
				}
				s.keeps.Store(0)
				if err := c.Publish(t.Context(), a, app.PageName, []byte(backSoon)); err != nil {
					t.Errorf("with room: %v", err)
				}
				if err := c.Withdraw(t.Context(), a, app.PageName); err != nil {
					t.Error(err)
				}
				if got := content(t, site); got != before {
					t.Errorf("afterwards:\n%s\nbefore:\n%s", got, before)
				}
			})
		}
	}
}
