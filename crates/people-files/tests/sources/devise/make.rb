# Writes app.sqlite3, and what it holds to standard output.
require "json"
require "rails"
require "active_record"
require "devise"

PEPPER = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
Devise.setup do |config|
  require "devise/orm/active_record"
  config.stretches = 5
  config.pepper = PEPPER
end

ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: "app.sqlite3")
ActiveRecord::Base.default_timezone = :utc
ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table :users do |t|
    t.string :name
    t.string :email, null: false, default: ""
    t.string :encrypted_password, null: false, default: ""
    t.string :reset_password_token
    t.datetime :reset_password_sent_at
    t.datetime :remember_created_at
    t.string :confirmation_token
    t.datetime :confirmed_at
    t.datetime :confirmation_sent_at
    t.string :unconfirmed_email
    t.integer :failed_attempts, default: 0, null: false
    t.string :unlock_token
    t.datetime :locked_at
    t.timestamps null: false
  end
end

class User < ActiveRecord::Base
  extend Devise::Models
  devise :database_authenticatable, :confirmable, :lockable, stretches: 5
  self.primary_key = "id"
  def send_on_create_confirmation_instructions; end
  def send_email_changed_notification?; false; end
end

people = JSON.parse(File.read(ARGV[0])).filter_map do |person|
  # It folds the case of addresses, so the second Ada cannot exist here.
  next if person["key"] == "ada-again"
  password = person["password"]
  user = User.new(name: person["name"], email: person["email"], created_at: person["created"])
  user.password = password["right"] if password
  user.confirmed_at = person["created"] if person["verified"]
  user.locked_at = person["created"] if person["disabled"]
  # Bob wants another address and has not confirmed it: the old one stays his.
  user.unconfirmed_email = "bob@new.example.com" if person["key"] == "bob"
  user.save!(validate: false)
  raise person["key"] unless password.nil? || user.reload.valid_password?(password["right"])
  { key: person["key"], external_id: user.id.to_s }
end
puts JSON.generate(
  inputs: [{ file: "app.sqlite3" }, { file: "users.csv" }],
  environment: { HALLPASS_IMPORT_PEPPER_DEVISE: PEPPER },
  people: people,
)
