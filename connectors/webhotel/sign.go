package webhotel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"kvart/app"
)

// rulesFile is where Apache and LiteSpeed look for a folder's own rules.
const rulesFile = ".htaccess"

// What Kvart adds to the rules stands between these two lines, as WordPress's
// own part does between its.
const (
	signBegin = "# BEGIN Kvart back soon\n"
	signEnd   = "# END Kvart back soon\n"
)

// bom is what some editors on Windows begin a text with.
var bom = []byte("\xef\xbb\xbf")

// unsigned takes Kvart's part out of rules; sign is nil where there is none.
func unsigned(rules []byte) (plain, sign []byte) {
	from := bytes.Index(rules, []byte(signBegin))
	if from < 0 || from > 0 && !bytes.Equal(rules[:from], bom) && rules[from-1] != '\n' {
		return rules, nil
	}
	length := bytes.Index(rules[from:], []byte(signEnd))
	if length < 0 {
		return rules, nil
	}
	to := from + length + len(signEnd)
	return slices.Concat(rules[:from], rules[to:]), rules[from:to]
}

// signed puts a part of Kvart's before everything else: what comes first counts.
func signed(plain, sign []byte) []byte {
	head, rest := []byte{}, plain
	if bytes.HasPrefix(plain, bom) {
		head, rest = bom, plain[len(bom):]
	}
	return slices.Concat(head, sign, rest)
}

// baseRule is where a site tells the folder that it answers in, if not at the
// top: WordPress in the first way, PrestaShop in the second.
var baseRule = regexp.MustCompile(`(?im)^\s*RewriteBase\s+(/[\w./~-]*)|E=REWRITEBASE:(/[\w./~-]*)`)

// sign is Kvart's part of the rules: whoever asks for anything but the page gets
// the page, with the answer that the shop is closed for the moment. Programs that
// log in with the request, as Kvart does when it restores a shop by its own
// interface, are let through.
func sign(plain []byte, name string) []byte {
	base := "/"
	if m := baseRule.FindSubmatch(plain); m != nil {
		base = string(m[1]) + string(m[2])
	}
	page := strings.TrimSuffix(base, "/") + "/" + name
	return fmt.Appendf(nil, signBegin+`ErrorDocument 503 %s
<IfModule mod_rewrite.c>
RewriteEngine On
RewriteRule ^%s$ - [L]
RewriteCond %%{HTTP:Authorization} ^$
RewriteRule ^ - [R=503,L]
</IfModule>
<IfModule mod_headers.c>
Header always set Retry-After "3600"
Header always set Cache-Control "no-store"
</IfModule>
`+signEnd, page, regexp.QuoteMeta(name))
}

// behindSign is a link on which the page, and what Kvart added to the rules to
// show it, are not to be seen: captures, comparisons and restores find the site
// as it is without them, and a restore of the rules leaves the page up.
type behindSign struct{ link }

// seen wraps what dials a site.
func seen(dial func(context.Context) (link, error)) func(context.Context) (link, error) {
	return func(ctx context.Context) (link, error) {
		l, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		return behindSign{l}, nil
	}
}

// bare returns a link on which everything is seen.
func bare(l link) link {
	if b, ok := l.(behindSign); ok {
		return b.link
	}
	return l
}

// rules reads a site's rules as they lie there.
func rules(ctx context.Context, l link) (text []byte, err error) {
	s, err := l.open(ctx, entry{path: rulesFile, size: mostConfig}, 0)
	if err != nil {
		return nil, err
	}
	text, err = io.ReadAll(io.LimitReader(s, mostConfig+1))
	if err = errors.Join(err, s.Close()); err == nil && len(text) > mostConfig {
		err = fmt.Errorf("%s has more than %d bytes", rulesFile, mostConfig)
	}
	return text, err
}

func (b behindSign) list(ctx context.Context, dir string) ([]entry, error) {
	found, err := b.link.list(ctx, dir)
	if err != nil || dir != "" {
		return found, err
	}
	page := slices.IndexFunc(found, func(e entry) bool { return e.path == app.PageName })
	if page < 0 {
		return found, nil // the page is there before its rules are, and after them
	}
	found = slices.Delete(found, page, page+1)
	for i := range found {
		if e := &found[i]; e.path == rulesFile && e.regular() && e.size <= mostConfig {
			text, err := rules(ctx, b.link)
			if err != nil {
				return nil, err
			}
			if plain, sign := unsigned(text); sign != nil {
				e.size = int64(len(plain))
			}
		}
	}
	return found, nil
}

func (b behindSign) stat(ctx context.Context, p string) (entry, error) {
	e, err := b.link.stat(ctx, p)
	if err != nil || p != rulesFile || e.size > mostConfig {
		return e, err
	}
	text, err := rules(ctx, b.link)
	if plain, sign := unsigned(text); err == nil && sign != nil {
		e.size = int64(len(plain))
	}
	return e, err
}

func (b behindSign) open(ctx context.Context, e entry, from int64) (stream, error) {
	if e.path != rulesFile || e.size > mostConfig {
		return b.link.open(ctx, e, from)
	}
	text, err := rules(ctx, b.link)
	if err != nil {
		return nil, err
	}
	plain, _ := unsigned(text)
	return io.NopCloser(bytes.NewReader(plain[min(from, int64(len(plain))):])), nil
}

// write puts Kvart's part before rules that come back while the page is up.
func (b behindSign) write(ctx context.Context, p string, r io.Reader) error {
	if p != tempName(rulesFile) {
		return b.link.write(ctx, p, r)
	}
	text, err := rules(ctx, b.link)
	if err != nil && !isMissing(err) && !isRefused(err) { // FTP calls both the same
		return err
	}
	_, sign := unsigned(text)
	return b.link.write(ctx, p, io.MultiReader(bytes.NewReader(sign), r))
}
