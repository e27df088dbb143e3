package mysql

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// block is one definition as it lies in a point.
type block struct {
	kind, name, table string
	lead              string // settings before it
	sql               string
	trail             string // settings after it
	delim             string
	broken            bool // it only is a comment
}

// title is the second of the three lines that begin a block.
var title = regexp.MustCompile("^-- (PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|TRIGGER|VIEW|EVENT) (`(?:[^`]|``)*`)(?: ON (`(?:[^`]|``)*`))?$")

// defined is a file of definitions, taken apart.
type defined struct {
	lead   string // before the first block
	blocks []block
	enable []string // names of events
	end    string   // after the last
}

// readDefined takes a file of definitions apart; one that is not there has
// none. It goes by lines: what is between the delimiters is taken as it is, in
// whatever dialect it is written.
func readDefined(from fs.FS, path string) (d defined, err error) {
	text, err := fs.ReadFile(from, path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("read %s in the point: %w", path, err)
	}
	if d, err = parseDefined(string(text)); err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func parseDefined(text string) (d defined, err error) {
	p := blockParser{d: &d}
	for line := range strings.Lines(text) {
		p.take(line)
	}
	if p.until != "" {
		return d, fmt.Errorf("ends in the middle of %s %s", p.now.kind, p.now.name)
	}
	p.finish()
	return d, nil
}

type blockParser struct {
	d     *defined
	now   *block
	until string // the delimiter that ends the definition; "" outside one
	ended bool   // the block has its definition
}

func (p *blockParser) take(line string) {
	text := strings.TrimSuffix(line, "\n")
	switch {
	case p.until != "":
		if text == p.until {
			p.now.sql = strings.TrimSuffix(p.now.sql, "\n")
			p.until, p.ended = "", true
			return
		}
		p.now.sql += line
		return
	case strings.HasPrefix(text, "-- "):
		if m := title.FindStringSubmatch(text); m != nil {
			p.finish()
			p.now = &block{kind: m[1], name: unquote(m[2]), broken: true}
			if m[3] != "" {
				p.now.table = unquote(m[3])
			}
		}
		return
	case text == "--" || text == "":
		return
	case text == delimiterWord+";":
		return
	case strings.HasPrefix(text, delimiterWord) && p.now != nil:
		p.now.delim = strings.TrimPrefix(text, delimiterWord)
		p.now.broken = false
		p.until = p.now.delim
		return
	}
	p.setting(line)
}

// setting takes a line that is no part of a definition.
func (p *blockParser) setting(line string) {
	if rest, ok := strings.CutPrefix(line, "ALTER EVENT "); ok {
		if name, ok := strings.CutSuffix(strings.TrimSpace(rest), " ENABLE;"); ok && len(name) > 1 {
			p.d.enable = append(p.d.enable, unquote(name))
			return
		}
	}
	switch {
	case p.now == nil:
		p.d.lead += line
	case !p.ended:
		p.now.lead += line
	case strings.HasPrefix(line, "ALTER DATABASE "):
		p.now.trail += line
	default:
		p.d.end += line
	}
}

func (p *blockParser) finish() {
	if p.now != nil {
		p.d.blocks = append(p.d.blocks, *p.now)
	}
	p.now, p.ended = nil, false
}

// text writes the file again, with the events enabled or not.
func (d defined) text(enable bool) string {
	var b strings.Builder
	b.WriteString(d.lead)
	for _, one := range d.blocks {
		if one.broken {
			continue
		}
		fmt.Fprintf(&b, "%s%s%s\n%s\n%s\n%s;\n%s", one.lead, delimiterWord, one.delim, one.sql, one.delim, delimiterWord, one.trail)
	}
	if enable {
		for _, name := range d.enable {
			fmt.Fprintf(&b, "ALTER %sEVENT %s ENABLE;\n", d.ownerOf(name), quote(name))
		}
	}
	b.WriteString(d.end)
	return b.String()
}

// ownerOf names an event's owner, whom it would lose to whoever alters it; ""
// where it has none of its own.
func (d defined) ownerOf(event string) string {
	for _, one := range d.blocks {
		if m := owner.FindStringSubmatch(one.sql); m != nil && one.kind == kindEvent && one.name == event {
			return strings.TrimPrefix(m[0], m[1])
		}
	}
	return ""
}

// names lists what the file defines.
func (d defined) names() (out []string) {
	for _, one := range d.blocks {
		if !one.broken {
			out = append(out, one.kind+" "+one.name)
		}
	}
	return out
}

// owner finds who a definition belongs to, near its beginning: "CREATE
// ALGORITHM=UNDEFINED DEFINER=`shop`@`%` SQL SECURITY DEFINER VIEW …".
var owner = regexp.MustCompile("^(CREATE (?:OR REPLACE )?(?:ALGORITHM=\\w+ )?)DEFINER=(`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\")(?:@(`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"))? ")

// definer returns the account a definition belongs to, "" when it names none.
func (b block) definer() string {
	m := owner.FindStringSubmatch(b.sql)
	if m == nil {
		return ""
	}
	if m[3] == "" {
		return unquote(m[2]) // a role
	}
	return unquote(m[2]) + "@" + unquote(m[3])
}

// disown makes the definition that of whoever loads it.
func (b *block) disown() { b.sql = owner.ReplaceAllString(b.sql, "$1") }
