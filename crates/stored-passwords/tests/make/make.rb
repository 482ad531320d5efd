# Vectors of Devise 4.8 and bcrypt (Debian: ruby-devise, ruby-bcrypt).
require "json"
require "bcrypt"
require "devise"
require "devise/encryptor"

passwords = JSON.parse(File.read(File.join(__dir__, "passwords.json")))
bcrypt = Gem.loaded_specs.fetch("bcrypt") { Gem::Specification.find_by_name("bcrypt") }.version
devise = Gem::Specification.find_by_name("devise").version
rows = []
Settings = Struct.new(:stretches, :pepper)
# With a pepper of 64 bytes, a password of 9 to 72 bytes keeps only the head of it.
[nil, "short", "0123456789abcdef" * 4, "0123456789abcdef" * 8, "Pfeffer – grün"].each do |pepper|
  passwords.each do |name, password|
    row = { package: "Devise #{devise}", scheme: "devise", format: "pepper of #{pepper.to_s.bytesize} bytes",
            case: name, password: password,
            stored: Devise::Encryptor.digest(Settings.new(4, pepper), password) }
    row[:extra] = { pepper: pepper } if pepper
    rows << row
  end
end
passwords.each do |name, password|
  rows << { package: "ruby bcrypt #{bcrypt}", scheme: "bcrypt", format: "has_secure_password", case: name,
            password: password, stored: BCrypt::Password.create(password, cost: 5).to_s }
end
File.write(File.join(__dir__, "../vectors/made/ruby.json"), JSON.pretty_generate(rows, ascii_only: true) + "\n")
