package shopify

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// selection is one part of what is asked for: a field, or "... on Type".
type selection struct {
	alias string
	name  string
	args  string // as written, without the parentheses
	on    string // of an inline fragment; then name is ""
	sel   []*selection
}

// document is one operation, with every fragment put in where it was named.
type document struct {
	kind string // "query" or "mutation"
	name string
	vars map[string]string // type by name
	root []*selection
}

// key is the field's key in an answer.
func (s *selection) key() string {
	if s.alias != "" {
		return s.alias
	}
	return s.name
}

// nodes returns what is asked of each element when s is a connection.
func (s *selection) nodes() *selection {
	for _, c := range s.sel {
		if c.name == "nodes" {
			return c
		}
	}
	return nil
}

// fields yields the fields of a set of selections, those in inline fragments
// included.
func fields(sel []*selection) []*selection {
	if !slices.ContainsFunc(sel, func(s *selection) bool { return s.name == "" }) {
		return sel
	}
	var out []*selection
	for _, s := range sel {
		if s.name == "" {
			out = append(out, fields(s.sel)...)
		} else {
			out = append(out, s)
		}
	}
	return out
}

func (d document) String() string {
	var b strings.Builder
	b.WriteString(d.kind + " " + d.name)
	if len(d.vars) > 0 {
		b.WriteString("(")
		for i, v := range slices.Sorted(maps.Keys(d.vars)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("$" + v + ": " + d.vars[v])
		}
		b.WriteString(")")
	}
	b.WriteString(" ")
	write(&b, d.root)
	return b.String()
}

func write(b *strings.Builder, sel []*selection) {
	b.WriteString("{")
	for _, s := range sel {
		b.WriteString(" ")
		switch {
		case s.name == "":
			b.WriteString("... on " + s.on)
		case s.alias != "":
			b.WriteString(s.alias + ": " + s.name)
		default:
			b.WriteString(s.name)
		}
		if s.args != "" {
			b.WriteString("(" + s.args + ")")
		}
		if len(s.sel) > 0 {
			b.WriteString(" ")
			write(b, s.sel)
		}
	}
	b.WriteString(" }")
}

// parser reads the little of GraphQL that this package's own files use.
type parser struct {
	text   string
	at     int
	shared map[string][]*selection // fragments by name
}

// token matches what is significant; white space, commas and comments are not.
var token = regexp.MustCompile(`^(?:[\s,]|#[^\n]*)*(\.\.\.|[{}():!\[\]@$=]|"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z_0-9]*|-?[0-9]+(?:\.[0-9]+)?)`)

func (p *parser) peek() string {
	m := token.FindStringSubmatch(p.text[p.at:])
	if m == nil {
		return ""
	}
	return m[1]
}

func (p *parser) next() string {
	m := token.FindStringSubmatch(p.text[p.at:])
	if m == nil {
		return ""
	}
	p.at += len(m[0])
	return m[1]
}

func (p *parser) expect(want string) error {
	if got := p.next(); got != want {
		return fmt.Errorf("%q where %q belongs, before %q", got, want, p.text[p.at:min(p.at+30, len(p.text))])
	}
	return nil
}

// fragments reads a file of fragments into p.shared.
func (p *parser) fragments() error {
	for p.peek() == "fragment" {
		p.next()
		name := p.next()
		if err := p.expect("on"); err != nil {
			return err
		}
		on := p.next()
		sel, err := p.set()
		if err != nil {
			return fmt.Errorf("fragment %s: %w", name, err)
		}
		p.shared[name] = []*selection{{on: on, sel: sel}}
	}
	if rest := p.peek(); rest != "" {
		return fmt.Errorf("%q is no fragment", rest)
	}
	return nil
}

// operation reads a file of one operation.
func (p *parser) operation() (d document, err error) {
	d = document{kind: p.next(), name: p.next(), vars: map[string]string{}}
	if d.kind != "query" && d.kind != "mutation" {
		return d, fmt.Errorf("%q is no operation", d.kind)
	}
	if p.peek() == "(" {
		p.next()
		for p.peek() == "$" {
			p.next()
			name := p.next()
			if err := p.expect(":"); err != nil {
				return d, err
			}
			typ := ""
			for t := p.peek(); t != "$" && t != ")" && t != ""; t = p.peek() {
				typ += p.next()
			}
			d.vars[name] = typ
		}
		if err := p.expect(")"); err != nil {
			return d, err
		}
	}
	d.root, err = p.set()
	if err == nil && p.peek() != "" {
		err = fmt.Errorf("%q after the operation", p.peek())
	}
	return d, err
}

// set reads a set of selections.
func (p *parser) set() ([]*selection, error) {
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	var out []*selection
	for p.peek() != "}" {
		if p.peek() == "" {
			return nil, fmt.Errorf("a brace is missing")
		}
		if p.peek() == "..." {
			more, err := p.spread()
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
			continue
		}
		s, err := p.field()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	p.next()
	return out, nil
}

func (p *parser) spread() ([]*selection, error) {
	p.next()
	name := p.next()
	if name == "on" {
		on := p.next()
		sel, err := p.set()
		return []*selection{{on: on, sel: sel}}, err
	}
	sel, ok := p.shared[name]
	if !ok {
		return nil, fmt.Errorf("no fragment is called %q", name)
	}
	if len(sel) == 1 && sel[0].name == "" {
		// What is common to the named type needs no condition where it is used:
		// the field has that type, or one that is it.
		return sel[0].sel, nil
	}
	return sel, nil
}

func (p *parser) field() (*selection, error) {
	s := &selection{name: p.next()}
	if p.peek() == ":" {
		p.next()
		s.alias, s.name = s.name, p.next()
	}
	if p.peek() == "(" {
		p.next()
		args, err := p.arguments()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		s.args = args
	}
	if p.peek() == "@" {
		// Directives stay with the arguments they follow: "input: $input) @x(y: $z".
		directive, err := p.directive()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		s.args += ") " + strings.TrimSuffix(directive, ")")
	}
	if p.peek() != "{" {
		return s, nil
	}
	var err error
	s.sel, err = p.set()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return s, nil
}

func (p *parser) directive() (string, error) {
	p.next()
	text := "@" + p.next()
	if err := p.expect("("); err != nil {
		return "", err
	}
	args, err := p.arguments()
	return text + "(" + args + ")", err
}

// arguments reads up to the closing parenthesis.
func (p *parser) arguments() (string, error) {
	var b strings.Builder
	for depth := 1; ; {
		t := p.next()
		switch t {
		case "":
			return "", fmt.Errorf("a parenthesis is missing")
		case "(":
			depth++
		case ")":
			depth--
			if depth == 0 {
				return strings.TrimSpace(b.String()), nil
			}
		}
		b.WriteString(t)
		if t != "$" {
			b.WriteString(" ")
		}
	}
}
