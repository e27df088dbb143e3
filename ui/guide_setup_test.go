package ui

import (
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

// shopForms adds the online shops and every storage to the sample forms.
func shopForms() app.Forms {
	f := uitest.DatabaseForms()
	f.Sources = append(f.Sources, uitest.WooCommerce(), uitest.Shopify(), uitest.WebHotel())
	return f
}

// newShopRig is a window at the first page of the setup, in a language.
func newShopRig(t *testing.T, lang string) *rig {
	t.Helper()
	s := uitest.Empty()
	s.Language = lang
	r := newRig(t, s)
	r.svc.FormsFunc = shopForms
	r.press(r.words.T("home.button.empty"))
	return r
}

func TestSetup_howDoIGetThis(t *testing.T) {
	r := newShopRig(t, "en")
	r.press("WooCommerce")
	r.lacks("Approve in WordPress (easiest)")
	r.press("How do I get this?")
	r.sees("Which way suits you?", "Approve in WordPress (easiest)", "Step 4", "Fill in “Address of the shop” first")
	if uitest.Enabled(r.c, "Open in the browser") {
		t.Error("a page of no site can be opened")
	}
	opened := ""
	r.openURL = func(address string) error { opened = address; return nil }
	uitest.Write(t, r.c, 0, "butik.example/shop/")
	r.lacks("Fill in “Address of the shop” first")
	r.press("Open in the browser")
	if opened != "https://butik.example/shop/wp-admin/authorize-application.php?app_name=Kvart" {
		t.Errorf("opened %q", opened)
	}
	r.press("Keys that may only read")
	if c, ok := r.c.Focused().(*widgets.Choice); !ok || c.Name() != "Keys that may only read" {
		t.Errorf("the keyboard is at %T", r.c.Focused())
	}
	r.sees("ck_", "aren't captured with them")
	r.openURL = func(string) error { return errors.New("no browser") }
	r.press("Open in the browser")
	r.sees("The browser couldn't be opened", "https://butik.example/shop/wp-admin/admin.php")
	r.press("Hide the steps")
	r.lacks("Step 1", "Which way suits you?")
	if uitest.Fields(r.c)[0].Text != "butik.example/shop/" {
		t.Error("what was filled in is lost")
	}
}

// TestSetup_guideFollowsTheProvider: the steps are those of the provider that is
// chosen, and what has to be pasted there can be copied.
func TestSetup_guideFollowsTheProvider(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.toStorage("Cloud storage (S3)")
	r.press("How do I get this?")
	r.sees("Choose the provider first")
	uitest.Choose(t, r.c, "Backblaze B2")
	r.sees("keyID")
	r.lacks("Choose the provider first", "Wasabi charges")
	uitest.Choose(t, r.c, "Wasabi")
	r.sees("Wasabi charges", "YOUR-BUCKET")
	r.press("Copy")
	if got := r.app.Clipboard().Content(); !strings.Contains(got, "s3:PutObjectRetention") || strings.Contains(got, "Bypass") {
		t.Errorf("copied %q", got)
	}
	uitest.Choose(t, r.c, "MinIO")
	r.sees("Ask whoever runs the server")
}

// TestGuides_everyOne shows the guide of every kind in every language.
func TestGuides_everyOne(t *testing.T) {
	for _, lang := range assets.Languages() {
		r := newShopRig(t, lang)
		unfold := func(name string) {
			t.Helper()
			r.press(r.words.T("guide.how"))
			if name == "s3" {
				uitest.Choose(t, r.c, r.words.T("storage.s3.preset.b2"))
			}
			r.sees(r.words.T("guide.step", assets.Args{"N": "1"}))
			r.lacks("⟦", "{{", "<no value>")
			r.shoot("guide-" + name + "-" + lang)
		}
		for _, k := range shopForms().Sources {
			if len(k.Fields) < 3 {
				continue // a path is all it asks
			}
			title := r.words.T("source." + string(k.Kind))
			if key := "setup.name." + string(k.Kind); r.words.Has(key) {
				title = r.words.T(key)
			}
			r.press(title)
			unfold(string(k.Kind))
			uitest.Key(r.c, fyne.KeyEscape)
		}
		r.press(r.words.T("setup.continue"))
		for _, k := range shopForms().Storages {
			r.press(r.words.T("storage." + string(k.Kind)))
			unfold(string(k.Kind))
		}
		r.Close()
	}
}

// TestSetup_approvedInTheBrowser: the owner of a shop on WordPress types its
// address, approves, and pastes what is shown.
func TestSetup_approvedInTheBrowser(t *testing.T) {
	r := newShopRig(t, "en")
	r.press("WooCommerce")
	const button = "Approve in the browser…"
	if uitest.Enabled(r.c, button) {
		t.Error("no shop can be approved")
	}
	uitest.Write(t, r.c, 0, "https://butik.example")
	opened := ""
	r.openURL = func(address string) error { opened = address; return nil }
	r.svc.ApprovalFunc = func(q app.ApprovalRequest) (app.Approval, error) {
		return app.Approval{}, app.Errorf(app.CodeShopApproval, "approve", "switched off").With("where", "butik.example")
	}
	r.press(button)
	r.sees("The shop can't let Kvart in by a click", "butik.example")
	if opened != "" {
		t.Errorf("opened %q", opened)
	}
	r.svc.ApprovalFunc = nil
	r.press(button)
	r.sees("let Kvart into Butiken", "paste it under “Application password”")
	r.shoot("setup-approve")
	if opened != "https://butik.example/wp-admin/authorize-application.php?app_name=Kvart" {
		t.Errorf("opened %q", opened)
	}
	if r.c.Focused() != uitest.Fields(r.c)[1] {
		t.Errorf("the keyboard is at %T", r.c.Focused())
	}
	uitest.Write(t, r.c, 1, "asa")
	r.press(button)
	if r.c.Focused() != uitest.Fields(r.c)[2] {
		t.Errorf("the keyboard is at %T", r.c.Focused())
	}
	r.openURL = func(string) error { return errors.New("no browser") }
	r.press(button)
	r.sees("open it yourself", "https://butik.example/wp-admin/authorize-application.php")
	r.press("Copy")
	if got := r.app.Clipboard().Content(); got != opened {
		t.Errorf("copied %q", got)
	}
	uitest.Write(t, r.c, 2, "abcd EFGH")
	var tried app.AddSourceRequest
	r.svc.TryFunc = func(q app.AddSourceRequest) (app.SourceInfo, error) { tried = q; return app.SourceInfo{}, nil }
	r.press("Continue")
	if tried.Settings["user"] != "asa" || tried.Secrets["password"].Reveal() != "abcd EFGH" {
		t.Errorf("tried %+v", tried)
	}
	r.sees("Where should the backups live?")
}
