
look join || refuse "joining is refused; what need not be put right is passed over with: overlace join $NAME --force"
