package screen

import (
	"context"
	"net/url"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// approvalWay is the way of a guide that leads over the source's own page of
// approval: a kind that has it has such a page.
const approvalWay = "approve"

// approves reports whether the owner can let Kvart in with the browser.
func approves(k app.KindSpec) bool {
	g, ok, err := assets.GuideFor("source", string(k.Kind))
	if err != nil || !ok {
		return false
	}
	_, ok = g.Way(approvalWay)
	return ok
}

// approve asks the source for the page on which its owner lets Kvart in, and
// opens it. What the page then shows is pasted into the form.
func (a *Access) approve() {
	if a.busy || a.env.OpenURL == nil {
		return
	}
	var page app.Approval
	var failure error
	turn := a.turn
	settings := a.form.Settings()
	a.say()
	a.ask(func(ctx context.Context) error {
		page, failure = a.env.Service.Approval(ctx, app.ApprovalRequest{Kind: a.spec.Kind, Settings: settings})
		return nil
	}, func() {
		switch {
		case turn != a.turn: // what it was asked about is not what is there now
		case failure != nil:
			a.fail(failure)
		default:
			a.approving(page)
		}
	}, nil)
}

// approving opens the page, says what to do on it, and leaves the keyboard where
// the next thing has to be filled in.
func (a *Access) approving(p app.Approval) {
	t := a.env.T
	label := func(key string) string {
		f, _ := a.spec.Field(key)
		return t(a.form.key(f))
	}
	site := p.Site
	if u, err := url.Parse(p.URL); site == "" && err == nil {
		site = u.Host
	}
	rows := []fyne.CanvasObject{
		widgets.NewText(t("access.approve.title", assets.Args{"Site": site}), widgets.Sub()),
		widgets.NewText(t("access.approve.text", assets.Args{"App": p.App, "Field": label(p.Field), "User": label(p.UserField)}), widgets.Body()),
	}
	if err := a.env.OpenURL(p.URL); err != nil {
		rows = append(rows, widgets.NewText(t("access.approve.failed"), widgets.Body().In(widgets.ToneWarn.Text())),
			widgets.Code(p.URL, t("copy"), t("copied")))
	}
	a.say(widgets.NewCard(widgets.Column(widgets.Gap8, rows...)).Emphasise())
	next := p.Field
	if a.form.Settings()[p.UserField] == "" {
		next = p.UserField
	}
	a.form.Reveal(next)
	a.form.focus(next)
}

// focus gives the keyboard to a field that is typed in.
func (f *Form) focus(key string) { focus(f.entries[key]) }
