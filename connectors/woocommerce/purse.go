package woocommerce

import "kvart/connectors/rest"

var _ rest.Purse = (*Platform)(nil)

// Currency implements [rest.Purse].
func (p *Platform) Currency(from *rest.Reading) (string, error) {
	m, err := from.One("settings", "general.woocommerce_currency")
	if err != nil || m == nil {
		return "", err
	}
	return rest.At(m, "value"), nil
}

// Minor implements [rest.Purse].
func (p *Platform) Minor() bool { return false }
