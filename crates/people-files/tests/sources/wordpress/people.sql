SELECT JSON_OBJECT(
    'ID', ID, 'user_login', user_login, 'user_pass', user_pass, 'user_email', user_email,
    'user_registered', user_registered, 'display_name', display_name,
    'wp_capabilities', (SELECT meta_value FROM wp_usermeta WHERE user_id = ID AND meta_key = 'wp_capabilities')
) FROM wp_users;
