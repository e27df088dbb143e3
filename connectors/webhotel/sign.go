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

const (
	// mostSigned bounds the rules that Kvart adds its part to, in bytes. Longer ones
	// are left as they are.
	mostSigned = 1 << 20
	// mostRules bounds the rules that are read to find it: they may grow meanwhile.
	mostRules = 2 << 20
)

// bom is what some editors on Windows begin a text with. Servers take it
// nowhere but there.
var bom = []byte("\xef\xbb\xbf")

// signPart is Kvart's part of the rules, also where an editor has given it the
// ends of line of Windows since, or left out the last of them.
var signPart = regexp.MustCompile(`(?s)(?:^|\n)(` + strings.TrimSpace(signBegin) + `\r?\n(?:.*?\n)??` + strings.TrimSpace(signEnd) + `(?:\r?\n|$))`)

// unsigned takes Kvart's part out of rules; sign is nil where there is none.
func unsigned(rules []byte) (plain, sign []byte) {
	plain = rules
	head := 0
	if bytes.HasPrefix(rules, bom) {
		head = len(bom)
	}
	for {
		at := signPart.FindSubmatchIndex(plain[head:])
		if at == nil {
			return plain, sign
		}
		from, to := head+at[2], head+at[3]
		sign = slices.Clone(plain[from:to])
		plain = slices.Concat(plain[:from], plain[to:])
	}
}

// signed puts a part of Kvart's before everything else: what comes first counts.
func signed(plain, sign []byte) []byte {
	head, rest := []byte{}, plain
	if bytes.HasPrefix(plain, bom) {
		head, rest = bom, plain[len(bom):]
	}
	if !bytes.HasSuffix(sign, []byte("\n")) {
		sign = append(slices.Clone(sign), '\n')
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

// errLongRules are rules that are too long to be looked through.
var errLongRules = fmt.Errorf("%s has more than %d bytes", rulesFile, mostRules)

// rules reads a site's rules as they lie there; with errLongRules, the
// beginning of them.
func rules(ctx context.Context, l link) (text []byte, err error) {
	s, err := l.open(ctx, entry{path: rulesFile, size: mostSigned}, 0)
	if err != nil {
		return nil, err
	}
	text, err = io.ReadAll(io.LimitReader(s, mostRules+1))
	if err == nil && len(text) > mostRules {
		// A connection by FTP on which a file is not read to its end is lost.
		if _, err = io.Copy(io.Discard, s); err == nil {
			err = errLongRules
		}
	}
	return text, errors.Join(err, s.Close())
}

// untold reports whether what the rules are can't be known, though the
// connection is sound: they are not there, closed to this user, or too long. FTP
// calls the first two the same.
func untold(err error) bool {
	return errors.Is(err, errLongRules) || faultOf(err) == faultNone && (isMissing(err) || isRefused(err))
}

// plainly gives the rules the size they have without Kvart's part.
func (b behindSign) plainly(ctx context.Context, e entry) (entry, error) {
	if !e.regular() || e.size > mostRules {
		return e, nil
	}
	text, err := rules(ctx, b.link)
	if err != nil {
		if untold(err) {
			return e, nil // what is wrong with it is said when it is read
		}
		return e, err
	}
	if plain, sign := unsigned(text); sign != nil {
		e.size = int64(len(plain))
	}
	return e, nil
}

func (b behindSign) list(ctx context.Context, dir string) ([]entry, error) {
	found, err := b.link.list(ctx, dir)
	if err != nil || dir != "" {
		return found, err
	}
	page := slices.IndexFunc(found, func(e entry) bool { return e.path == app.PageName })
	if page >= 0 {
		found = slices.Delete(found, page, page+1)
	}
	for i, e := range found {
		if e.path != rulesFile {
			continue
		}
		plain, err := b.plainly(ctx, e)
		if err != nil && page >= 0 {
			return nil, err
		}
		found[i] = plain // also where somebody took the page away, and nothing else
	}
	return found, nil
}

func (b behindSign) stat(ctx context.Context, p string) (entry, error) {
	e, err := b.link.stat(ctx, p)
	if err != nil || p != rulesFile {
		return e, err
	}
	return b.plainly(ctx, e)
}

func (b behindSign) open(ctx context.Context, e entry, from int64) (stream, error) {
	if e.path != rulesFile || e.size > mostRules {
		return b.link.open(ctx, e, from)
	}
	text, err := rules(ctx, b.link)
	if errors.Is(err, errLongRules) {
		return b.link.open(ctx, e, from)
	}
	if err != nil {
		return nil, err
	}
	plain, _ := unsigned(text)
	return io.NopCloser(bytes.NewReader(plain[min(from, int64(len(plain))):])), nil
}

// write puts Kvart's part before rules that come back while the page is up.
// Where what lies there can't be looked through, or what comes back is too long
// to be taken down again for sure, it comes back as it is: the shop is worth more
// than the page in its place.
func (b behindSign) write(ctx context.Context, p string, r io.Reader) error {
	if p != tempName(rulesFile) {
		return b.link.write(ctx, p, r)
	}
	text, err := rules(ctx, b.link)
	if err != nil && !untold(err) {
		return err
	}
	_, sign := unsigned(text)
	if err != nil || sign == nil {
		return b.link.write(ctx, p, r)
	}
	head, err := io.ReadAll(io.LimitReader(r, mostSigned+1))
	if err != nil {
		return err
	}
	if len(head) > mostSigned {
		return b.link.write(ctx, p, io.MultiReader(bytes.NewReader(head), r))
	}
	return b.link.write(ctx, p, bytes.NewReader(signed(head, sign)))
}
