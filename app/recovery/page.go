package recovery

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"unicode/utf8"

	"kvart/app"
)

// usualColor is Kvart's own.
const usualColor = "#0E6B58"

// longest is how long a text of the page may be, in characters.
const longest = 2000

// pageTemplate fetches nothing from anywhere: the shop's server is down.
const pageTemplate = `<!doctype html>
<html lang="{{.Language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="120">
<title>{{.Title}}</title>
<style>
*{box-sizing:border-box;margin:0}
body{min-height:100vh;display:flex;align-items:center;justify-content:center;padding:24px;background:{{.Color}};color:#1B2320;font:18px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:34em;width:100%;background:#fff;border-radius:12px;padding:40px 36px}
p.shop{font-weight:600;color:#66706B}
h1{font-size:32px;line-height:1.2;margin:8px 0 16px}
p.text{white-space:pre-line}
address{margin-top:24px;padding-top:16px;border-top:1px solid #E4E1D8;font-style:normal}
a{color:inherit}
</style>
</head>
<body>
<main>
<p class="shop">{{.Shop}}</p>
<h1>{{.Head}}</h1>
<p class="text">{{.Text}}</p>
{{- if or .Phone .Mail}}
<address>{{.Contact}}
{{- if .Phone}}<br><a href="tel:{{.Tel}}">{{.Phone}}</a>{{end}}
{{- if .Mail}}<br><a href="mailto:{{.Mail}}">{{.Mail}}</a>{{end}}
</address>
{{- end}}
</main>
</body>
</html>
`

// checkPage refuses settings no page can be made of.
func checkPage(s app.PageSettings) error {
	if s.Color != "" && !regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`).MatchString(s.Color) {
		return app.Errorf(app.CodeUsage, "make page", "%q is no colour", s.Color).With("field", "color").With("choices", usualColor)
	}
	if s.Language != "" && s.Language != "sv" && s.Language != "en" {
		return app.Errorf(app.CodeUsage, "make page", "no language %q", s.Language).With("field", "language").With("choices", "en, sv")
	}
	for field, v := range map[string]string{"shop": s.Shop, "text": s.Text, "phone": s.Phone, "mail": s.Mail} {
		if utf8.RuneCountInString(v) > longest {
			return app.Errorf(app.CodeUsage, "make page", "%s is longer than %d characters", field, longest).With("field", field)
		}
	}
	return nil
}

// Page returns the "back soon" page; [app.CodeUsage] for settings none can be
// made of.
func (*Engine) Page(f app.ShopFacts) ([]byte, error) {
	s := f.Page
	if err := checkPage(s); err != nil {
		return nil, err
	}
	w, err := words(s.Language, f)
	if err != nil {
		return nil, err
	}
	if s.Shop == "" {
		s.Shop = f.Shop
	}
	if s.Color == "" {
		s.Color = usualColor
	}
	if s.Text == "" {
		s.Text = w.T("incident.page.text")
	}
	title := w.T("incident.page.title", map[string]any{"Shop": s.Shop})
	if s.Shop == "" {
		title = w.T("incident.page.head")
	}
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Language": w.Language(), "Title": title, "Shop": s.Shop, "Head": w.T("incident.page.head"), "Text": s.Text,
		// checked above to be six hexadecimal digits; made anew, so that nothing
		// else can be in it
		"Color":   template.CSS(cleanColor(s.Color)),
		"Contact": w.T("incident.page.contact"), "Phone": s.Phone, "Tel": dialled(s.Phone), "Mail": s.Mail,
	})
	if err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return b.Bytes(), nil
}

func cleanColor(s string) string {
	v, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return usualColor
	}
	return fmt.Sprintf("#%06X", v)
}

// dialled returns what of a phone number is dialled.
func dialled(phone string) string {
	var out []rune
	for _, r := range phone {
		if r >= '0' && r <= '9' || r == '+' {
			out = append(out, r)
		}
	}
	return string(out)
}
